//! The camera: its lamp is on for as long as somebody looks, and its picture is what they saw.

use super::harness::Browser;
use super::page::{PATIENCE, serve};
use super::panels::{QUIET, click, pixels};

/// A camera that sees red on the left and blue on the right, and that is allowed after a while.
const CAMERA: &str = "
    self.tracks = [];
    self.live = () => self.tracks.filter((track) => track.readyState === 'live').length;
    navigator.mediaDevices.getUserMedia = async () => {
        await new Promise((done) => setTimeout(done, 600));
        const scene = document.createElement('canvas');
        [scene.width, scene.height] = [320, 240];
        const drawing = scene.getContext('2d');
        const draw = () => {
            drawing.fillStyle = 'rgb(220, 20, 20)';
            drawing.fillRect(0, 0, 160, 240);
            drawing.fillStyle = 'rgb(20, 20, 220)';
            drawing.fillRect(160, 0, 160, 240);
        };
        draw();
        setInterval(draw, 40);
        const stream = scene.captureStream(25);
        self.tracks.push(...stream.getTracks());
        return stream;
    };";

/// Whether there is a frame to take.
const SEES: &str = "document.querySelector('#picker-video').readyState >= HTMLMediaElement.HAVE_CURRENT_DATA";

async fn at_the_picker() -> (Browser, xtask::server::Server) {
    let server = serve();
    let browser = Browser::start(&[]).await.unwrap();
    browser.before_pages(CAMERA).await.unwrap();
    browser.open(&format!("{}#panel=mix&model=faces", server.url())).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    click(&browser, "#mix-choose-a").await;
    browser.wait_for("document.querySelector('#picker').open", PATIENCE).await.unwrap();
    (browser, server)
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn no_camera_is_on_that_nobody_waits_for() {
    let (browser, _server) = at_the_picker().await;
    // Away before the camera was allowed.
    for (number, leave) in ["#picker-close", "#picker-back"].into_iter().enumerate() {
        click(&browser, "#picker-camera").await;
        click(&browser, leave).await;
        browser.wait_for(&format!("self.tracks.length === {}", number + 1), PATIENCE).await.unwrap();
        browser.wait_for("self.live() === 0", PATIENCE).await.unwrap();
        if leave == "#picker-close" {
            browser.wait_for("!document.querySelector('#picker').open", PATIENCE).await.unwrap();
            click(&browser, "#mix-choose-a").await;
        }
    }
    // Twice in a row, then a picture.
    click(&browser, "#picker-camera").await;
    click(&browser, "#picker-camera").await;
    browser.wait_for("self.tracks.length === 4 && self.live() === 1", PATIENCE).await.unwrap();
    browser.wait_for(SEES, PATIENCE).await.unwrap();
    click(&browser, "#picker-shoot").await;
    browser.wait_for("!document.querySelector('#picker-crop').hidden", PATIENCE).await.unwrap();
    assert_eq!(browser.eval("self.live()").await.unwrap(), 0);
    // Unplugged.
    click(&browser, "#picker-back").await;
    click(&browser, "#picker-camera").await;
    browser.wait_for("self.tracks.length === 5 && self.live() === 1", PATIENCE).await.unwrap();
    browser.wait_for(SEES, PATIENCE).await.unwrap();
    browser.eval("self.tracks[4].dispatchEvent(new Event('ended'))").await.unwrap();
    let told = "document.querySelector('#picker-problem').textContent.includes('The camera was taken away')";
    browser.wait_for(told, PATIENCE).await.unwrap();
    assert_eq!(browser.eval("self.live()").await.unwrap(), 0);
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn the_cameras_picture_is_mirrored_as_its_preview_was() {
    let (browser, _server) = at_the_picker().await;
    click(&browser, "#picker-camera").await;
    browser.wait_for(SEES, PATIENCE).await.unwrap();
    let preview = "getComputedStyle(document.querySelector('#picker-video')).transform";
    assert_eq!(browser.eval(preview).await.unwrap(), "matrix(-1, 0, 0, 1, 0, 0)");
    click(&browser, "#picker-shoot").await;
    browser.wait_for("!document.querySelector('#picker-crop').hidden", PATIENCE).await.unwrap();
    let shown = pixels(&browser, "#crop-preview").await;
    // Blue is on the left now.
    assert!(shown[2] > 150 && shown[0] < 80, "{:?}", &shown[..3]);
    assert!(shown[shown.len() - 3] > 150 && shown[shown.len() - 1] < 80, "{:?}", &shown[shown.len() - 3..]);
    browser.finish().await.unwrap();
}
