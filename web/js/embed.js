// <rg-flow-demo panel="mix" model="faces" theme="dark">: the demo inside another page, which only has to load this module.
// The element becomes as high as the panel, unless the page's own style gives it a height.
class RgFlowDemo extends HTMLElement {
  static observedAttributes = ["panel", "model", "fragment", "theme"];

  connectedCallback() {
    addEventListener("message", this);
    // It was moved, or comes back: the frame is there and loads by itself.
    if (this.frame) return;
    this.attachShadow({ mode: "open" });
    this.sheet = new CSSStyleSheet();
    this.setHeight("46rem");
    this.shadowRoot.adoptedStyleSheets = [this.sheet];
    this.frame = document.createElement("iframe");
    this.frame.title = "RG-Flow demo";
    this.frame.loading = "lazy";
    this.frame.allow = "camera; clipboard-write; web-share";
    this.shadowRoot.append(this.frame);
    this.show();
  }

  disconnectedCallback() {
    removeEventListener("message", this);
  }

  // Where a page moves it by moveBefore, the frame stays as it is.
  connectedMoveCallback() {}

  attributeChangedCallback() {
    if (this.frame) this.show();
  }

  // `fragment` is what stands behind the # of a link that the page’s “Copy link” made.
  show() {
    const url = new URL("./", import.meta.url);
    // The page knows its panels; any other name shows the first of them.
    url.searchParams.set("embed", this.getAttribute("panel") ?? "");
    url.searchParams.set("fit", "");
    const theme = this.getAttribute("theme");
    if (theme) url.searchParams.set("theme", theme);
    const model = this.getAttribute("model");
    url.hash = this.getAttribute("fragment") ?? (model ? `model=${encodeURIComponent(model)}` : "");
    this.frame.src = url.href;
  }

  // Any page may send messages: only the demo’s own frame is heard.
  handleEvent({ source, origin, data }) {
    const height = data?.rgFlow?.height;
    if (source !== this.frame.contentWindow || origin !== new URL(import.meta.url).origin) return;
    if (Number.isFinite(height) && height > 0) this.setHeight(`${Math.min(height, 10000)}px`);
  }

  setHeight(height) {
    this.sheet.replaceSync(`:host { display: block; height: ${height}; } iframe { display: block; width: 100%; height: 100%; border: 0; }`);
  }
}

if (!customElements.get("rg-flow-demo")) customElements.define("rg-flow-demo", RgFlowDemo);
