// A part of the page is kept together with its digest, so that a copy that was cut or changed since is noticed. The service
// worker and modules both load this, so it neither imports nor exports.
{
  const DIGEST = "x-kept-digest";
  const digest = async (bytes) => {
    const numbers = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    return Array.from(numbers, (number) => number.toString(16).padStart(2, "0")).join("");
  };
  // The response, read to its end; an error if it breaks off.
  self.sealed = async (response) => {
    const bytes = await response.arrayBuffer();
    const headers = new Headers(response.headers);
    headers.set(DIGEST, await digest(bytes));
    return new Response(bytes, { status: response.status, statusText: response.statusText, headers });
  };
  self.isWhole = async (kept) => kept.headers.get(DIGEST) === (await digest(await kept.clone().arrayBuffer()));
}
