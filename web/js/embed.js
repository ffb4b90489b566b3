// <rg-flow-demo panel="mix" model="faces">: the demo inside another page, which only has to load this module.
class RgFlowDemo extends HTMLElement {
  static observedAttributes = ["panel", "model", "fragment"];

  connectedCallback() {
    // It was moved, or comes back: the frame is there and loads by itself.
    if (this.frame) return;
    this.attachShadow({ mode: "open" });
    const style = new CSSStyleSheet();
    style.replaceSync(":host { display: block; height: 46rem; } iframe { width: 100%; height: 100%; border: 0; }");
    this.shadowRoot.adoptedStyleSheets = [style];
    this.frame = document.createElement("iframe");
    this.frame.title = "RG-Flow demo";
    this.frame.loading = "lazy";
    this.frame.allow = "camera; clipboard-write";
    this.shadowRoot.append(this.frame);
    this.show();
  }

  attributeChangedCallback() {
    if (this.frame) this.show();
  }

  // `fragment` is what stands behind the # of a link that the page's “Copy link” made.
  show() {
    const url = new URL("./", import.meta.url);
    // The page knows its panels; what is none of them shows the first.
    url.searchParams.set("embed", this.getAttribute("panel") ?? "");
    const model = this.getAttribute("model");
    url.hash = this.getAttribute("fragment") ?? (model ? `model=${encodeURIComponent(model)}` : "");
    this.frame.src = url.href;
  }
}

if (!customElements.get("rg-flow-demo")) customElements.define("rg-flow-demo", RgFlowDemo);
