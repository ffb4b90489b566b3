//! A server of a folder that does not always do as it should.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use xtask::server::mime;

/// How a request is answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    /// As it should be.
    Right,
    /// Late.
    After(Duration),
    /// Not at all, and the connection stays open.
    Silence,
    /// Not at all, and the connection is closed: what a browser sees without a network.
    Gone,
    /// The first bytes, of as many as were announced.
    Cut(usize),
    /// With this type.
    Typed(&'static str),
    /// With these words in place of the file.
    Words(&'static str),
}

/// Serves a folder at a free port, or at `port`, until the process ends. `answer` says how a path is answered.
pub fn serve(dir: &Path, port: u16, answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (dir, answer) = (dir.to_owned(), Arc::new(answer));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (dir, answer) = (dir.clone(), Arc::clone(&answer));
            std::thread::spawn(move || {
                // A browser opens connections on which it says nothing, and goes away when it likes.
                let _ = speak(stream, &dir, &*answer);
            });
        }
    });
    url
}

fn speak(mut stream: TcpStream, dir: &Path, answer: &dyn Fn(&str) -> Answer) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let path = first.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default();
    let answer = answer(path);
    match answer {
        Answer::Gone => return Ok(()),
        Answer::Silence => std::thread::sleep(Duration::from_secs(600)),
        Answer::After(late) => std::thread::sleep(late),
        Answer::Words(words) => return stream.write_all(words.as_bytes()),
        _ => {}
    }
    let file = dir.join(if path == "/" { "index.html" } else { path.trim_start_matches('/') });
    let Ok(bytes) = std::fs::read(&file) else {
        return stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    };
    let kind = if let Answer::Typed(kind) = answer { kind } else { mime(&file) };
    let sent = if let Answer::Cut(most) = answer { &bytes[..most.min(bytes.len())] } else { &bytes };
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-cache\r\n\
         Access-Control-Allow-Origin: *\r\nConnection: close\r\n\r\n",
        bytes.len()
    )?;
    stream.write_all(sent)
}

/// The page as it was built.
pub fn dist() -> PathBuf {
    let dist = super::page::root().join("dist");
    assert!(dist.join("index.html").is_file(), "build the page first: `cargo xtask test --only page`");
    dist
}
