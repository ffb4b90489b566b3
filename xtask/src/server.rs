//! A static file server for one folder, on this machine only: for the demo and for tests in a browser.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener as Listener};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, X_CONTENT_TYPE_OPTIONS,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// A running server; it stops when dropped.
pub struct Server {
    /// Dropped before the thread is waited for, which ends it.
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
    addr: SocketAddr,
    prefix: String,
}

impl Server {
    /// Serves `dir` below `prefix` at 127.0.0.1:`port`; port 0 is any free one.
    pub fn start(dir: &Path, port: u16, prefix: &str) -> Result<Self> {
        let root =
            dir.canonicalize().with_context(|| format!("cannot serve {}: there is no such folder", dir.display()))?;
        let listener = Listener::bind(("127.0.0.1", port)).with_context(|| {
            format!("cannot listen on port {port}; is it in use? choose another with --port, or 0 for any")
        })?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        let site = Arc::new(Site { root, prefix: normal_prefix(prefix) });
        let prefix = site.prefix.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let listener = {
            let _runtime = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            // Whatever is still open closes when the runtime is dropped.
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = listen(listener, site) => {}
                }
            });
        });
        Ok(Self { stop: Some(stop), thread: Some(thread), addr, prefix })
    }

    /// As [`Server::start`], at the first free port from `port` on, of ten.
    pub fn start_near(dir: &Path, port: u16, prefix: &str) -> Result<Self> {
        let first = Self::start(dir, port, prefix);
        if first.is_ok() || port == 0 {
            return first;
        }
        (1..10)
            .filter_map(|step| port.checked_add(step))
            .find_map(|port| Self::start(dir, port, prefix).ok())
            .map_or(first, Ok)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    /// The page's address, which ends with a slash.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.addr, self.prefix)
    }

    /// Serves until the process ends.
    pub fn wait(mut self) {
        self.join();
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            // A server that panicked has said so.
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.take();
        self.join();
    }
}

/// Answers every connection on a task of its own: a browser opens some before it knows what to ask on them, and those
/// must keep no other waiting.
async fn listen(listener: TcpListener, site: Arc<Site>) {
    loop {
        // An error here is a browser that went away.
        let Ok((stream, _)) = listener.accept().await else { continue };
        let site = Arc::clone(&site);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let answer = site.answer(&request);
                async { Ok::<_, Infallible>(answer) }
            });
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

struct Site {
    root: PathBuf,
    prefix: String,
}

/// What the page may use of the browser's powers: the camera and the clipboard, and no other.
const PERMISSIONS: &str = "camera=(self), clipboard-write=(self), display-capture=(), \
    geolocation=(), microphone=(), midi=(), payment=(), usb=()";

/// What a request's path leads to.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    File(PathBuf),
    Redirect(String),
    Nothing,
}

impl Site {
    fn find(&self, path: &str) -> Found {
        if format!("{path}/") == self.prefix {
            return Found::Redirect(self.prefix.clone());
        }
        let Some(relative) = path.strip_prefix(&self.prefix).and_then(safe_path) else {
            return Found::Nothing;
        };
        // Links are followed, but not out of the folder.
        let Ok(full) = self.root.join(relative).canonicalize() else {
            return Found::Nothing;
        };
        if !full.starts_with(&self.root) {
            return Found::Nothing;
        }
        match (full.is_dir(), path.ends_with('/')) {
            (false, false) => Found::File(full),
            (false, true) => Found::Nothing,
            (true, false) => Found::Redirect(format!("{path}/")),
            (true, true) => match full.join("index.html") {
                index if index.is_file() => Found::File(index),
                _ => Found::Nothing,
            },
        }
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD");
        }
        match self.find(request.uri().path()) {
            Found::Nothing => text(StatusCode::NOT_FOUND, "not found"),
            Found::Redirect(to) => with_header(text(StatusCode::MOVED_PERMANENTLY, "moved"), LOCATION, &to),
            Found::File(path) => match std::fs::read(&path) {
                Ok(file) => {
                    let response = with_header(Response::new(Full::from(file)), CONTENT_TYPE, mime(&path));
                    // A page built again must not meet its old parts; what it fetches early is kept until it is needed.
                    let early = request.uri().query().is_some_and(|query| query.starts_with("v="));
                    let response = with_header(response, CACHE_CONTROL, if early { "max-age=10" } else { "no-cache" });
                    let response = with_header(response, HeaderName::from_static("permissions-policy"), PERMISSIONS);
                    let response = with_header(response, X_CONTENT_TYPE_OPTIONS, "nosniff");
                    // Pages of other servers may embed this one.
                    with_header(response, ACCESS_CONTROL_ALLOW_ORIGIN, "*")
                }
                Err(_) => text(StatusCode::NOT_FOUND, "not found"),
            },
        }
    }
}

fn text(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response
}

/// Adds a header, unless HTTP does not allow its value.
fn with_header(mut response: Response<Full<Bytes>>, name: HeaderName, value: &str) -> Response<Full<Bytes>> {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

fn normal_prefix(prefix: &str) -> String {
    match prefix.trim_matches('/') {
        "" => "/".to_owned(),
        inner => format!("/{inner}/"),
    }
}

/// The path below the served folder, or `None` for one that could leave it.
fn safe_path(encoded: &str) -> Option<PathBuf> {
    let decoded = percent_decoded(encoded)?;
    if decoded.contains(['\0', '\\', ':']) {
        return None;
    }
    let path = PathBuf::from(decoded);
    path.components().all(|part| matches!(part, Component::Normal(_))).then_some(path)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        if byte == b'%' {
            let hex = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(byte);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

/// The MIME type of a file, by its name.
pub fn mime(path: &Path) -> &'static str {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "txt" | "md" => "text/plain; charset=utf-8",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "svg" => "image/svg+xml",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;

    fn site(prefix: &str) -> (tempfile::TempDir, Site) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("site/deep")).unwrap();
        std::fs::write(dir.path().join("secret.txt"), "secret").unwrap();
        std::fs::write(dir.path().join("site/index.html"), "<title>top</title>").unwrap();
        std::fs::write(dir.path().join("site/a b.wasm"), "wasm").unwrap();
        std::fs::write(dir.path().join("site/deep/index.html"), "deep").unwrap();
        let site = Site { root: dir.path().join("site").canonicalize().unwrap(), prefix: normal_prefix(prefix) };
        (dir, site)
    }

    fn get(server: &Server, path: &str) -> String {
        let mut stream = TcpStream::connect(server.addr).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn wasm_has_the_type_that_browsers_compile_while_loading() {
        assert_eq!(mime(Path::new("x/a.wasm")), "application/wasm");
        assert_eq!(mime(Path::new("a.JS")), "text/javascript; charset=utf-8");
        assert_eq!(mime(Path::new("wasm")), "application/octet-stream");
    }

    #[test]
    fn files_are_found_below_the_prefix_only() {
        let (_dir, site) = site("sub/path");
        let file = |name: &str| Found::File(site.root.join(name));
        assert_eq!(site.find("/sub/path/"), file("index.html"));
        assert_eq!(site.find("/sub/path/a%20b.wasm"), file("a b.wasm"));
        assert_eq!(site.find("/sub/path/deep/"), file("deep/index.html"));
        assert_eq!(site.find("/sub/path"), Found::Redirect("/sub/path/".into()));
        assert_eq!(site.find("/sub/path/deep"), Found::Redirect("/sub/path/deep/".into()));
        for nothing in ["/", "/index.html", "/sub/path/none", "/sub/path/index.html/", "/sub/pathindex.html"] {
            assert_eq!(site.find(nothing), Found::Nothing, "{nothing}");
        }
    }

    #[test]
    fn nothing_outside_the_folder_is_served() {
        let (dir, site) = site("/");
        std::os::unix::fs::symlink(dir.path().join("secret.txt"), site.root.join("link.txt")).unwrap();
        let secret = format!("/{}", dir.path().join("secret.txt").display());
        for path in [
            "/../secret.txt",
            "/deep/../../secret.txt",
            "/%2e%2e/secret.txt",
            "/..%2fsecret.txt",
            "/deep/..%5c..%5csecret.txt",
            "/link.txt",
            "/%",
            "/%zz",
            "/%00",
            "/%ff",
            "secret.txt",
            &secret,
        ] {
            assert_eq!(site.find(path), Found::Nothing, "{path}");
        }
        assert_eq!(safe_path("/etc/passwd"), None);
        assert_eq!(safe_path("a/b.js"), Some("a/b.js".into()));
    }

    #[test]
    fn answers_over_http_and_stops_when_dropped() {
        let (_dir, site) = site("/");
        let server = Server::start(&site.root, 0, "/p/").unwrap();
        assert_eq!(server.url(), format!("http://127.0.0.1:{}/p/", server.port()));
        let page = get(&server, "/p/");
        assert!(page.starts_with("HTTP/1.1 200") && page.ends_with("<title>top</title>"), "{page}");
        assert!(get(&server, "/p/?q=1").ends_with("<title>top</title>"));
        for header in ["permissions-policy: camera=(self), ", "x-content-type-options: nosniff\r\n"] {
            assert!(page.contains(header), "{page}");
        }
        assert!(get(&server, "/p/a%20b.wasm").contains("content-type: application/wasm\r\n"));
        assert!(get(&server, "/p").contains("location: /p/\r\n"));
        assert!(get(&server, "/p/../../secret.txt").starts_with("HTTP/1.1 404"));
        let addr = server.addr;
        drop(server);
        assert!(TcpStream::connect(addr).is_err(), "still listening");
    }

    /// A browser opens several connections before it knows what it will ask on them.
    #[test]
    fn many_connections_at_once_are_all_answered() {
        let (_dir, site) = site("/");
        for round in 0..50 {
            let server = Server::start(&site.root, 0, "/").unwrap();
            let connect = || TcpStream::connect(server.addr).unwrap();
            let mut streams: Vec<_> = std::iter::repeat_with(connect).take(24).collect();
            for (number, stream) in streams.iter_mut().enumerate() {
                stream.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
                write!(stream, "GET /deep/ HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
                let mut start = [0; 12];
                let read = stream.read_exact(&mut start);
                assert!(read.is_ok() && start == *b"HTTP/1.1 200", "connection {number} of round {round}: {read:?}");
            }
        }
    }

    #[test]
    fn a_used_port_is_an_error_or_the_next_one() {
        let (_dir, site) = site("/");
        let first = Server::start(&site.root, 0, "/").unwrap();
        let Err(err) = Server::start(&site.root, first.port(), "/") else {
            panic!("two servers on port {}", first.port());
        };
        assert!(err.to_string().contains("--port"), "{err}");
        let second = Server::start_near(&site.root, first.port(), "/").unwrap();
        assert!(second.port() > first.port());
    }
}
