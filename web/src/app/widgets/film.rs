//! A latent's pictures as an animation in a file.

use std::fmt::Display;

use gloo_timers::future::TimeoutFuture;

use crate::error::{Error, Result};
use crate::protocol::Image;

/// Pixels in a row of the file, at least.
const EDGE: usize = 256;

/// A GIF in the making, frame by frame.
struct Film {
    size: usize,
    zoom: usize,
    smooth: bool,
    delay: u16,
    frames: Vec<gif::Frame<'static>>,
}

impl Film {
    /// A film of these pictures, without a frame yet.
    fn of(pictures: &[&Image], smooth: bool, delay: u16) -> Result<Self> {
        let size = pictures.first().map_or(0, |picture| picture.size) as usize;
        let fits = |picture: &&Image| picture.size as usize == size && picture.rgba.len() == size * size * 4;
        if size == 0 || size > usize::from(u16::MAX) || !pictures.iter().all(fits) {
            return Err(failed("there are no pictures of one size"));
        }
        Ok(Self { size, zoom: EDGE.div_ceil(size), smooth, delay, frames: vec![] })
    }

    fn add(&mut self, picture: &Image) {
        let (size, zoom) = (self.size, self.zoom);
        let edge = (size * zoom) as u16;
        let mut frame = if self.smooth {
            gif::Frame::from_rgba_speed(edge, edge, &mut smoothed(&picture.rgba, size, zoom), 10)
        } else {
            // Colours are chosen among the picture's own pixels, before they become many.
            let mut frame = gif::Frame::from_rgba_speed(size as u16, size as u16, &mut picture.rgba.to_vec(), 10);
            frame.buffer = enlarged(&frame.buffer, size, zoom).into();
            frame
        };
        (frame.width, frame.height, frame.delay) = (edge, edge, self.delay);
        frame.make_lzw_pre_encoded();
        self.frames.push(frame);
    }

    /// The file: it runs back and forth for ever.
    fn bytes(&self) -> Result<Vec<u8>> {
        let edge = (self.size * self.zoom) as u16;
        let mut bytes = Vec::new();
        let mut encoder = gif::Encoder::new(&mut bytes, edge, edge, &[]).map_err(failed)?;
        encoder.set_repeat(gif::Repeat::Infinite).map_err(failed)?;
        // The ends are seen once a round.
        let back = self.frames.iter().rev().skip(1).take(self.frames.len().saturating_sub(2));
        for frame in self.frames.iter().chain(back) {
            encoder.write_lzw_pre_encoded_frame(frame).map_err(failed)?;
        }
        drop(encoder);
        Ok(bytes)
    }
}

fn failed(problem: impl Display) -> Error {
    Error::Request(format!("no GIF can be made: {problem}"))
}

/// Pictures of one size as a GIF that runs back and forth for ever, every pixel a crisp square or all of them smooth; each
/// frame is shown for `delay` hundredths of a second. Between two frames the page gets its turn.
///
/// # Errors
/// [`Error::Request`] if there are no pictures, or of several sizes.
pub async fn gif(pictures: &[&Image], smooth: bool, delay: u16) -> Result<Vec<u8>> {
    let mut film = Film::of(pictures, smooth, delay)?;
    for picture in pictures {
        film.add(picture);
        TimeoutFuture::new(0).await;
    }
    film.bytes()
}

fn enlarged(pixels: &[u8], size: usize, zoom: usize) -> Vec<u8> {
    let edge = size * zoom;
    (0..edge * edge).map(|i| pixels[i / edge / zoom * size + i % edge / zoom]).collect()
}

/// Between the middles of two pixels their values run straight from one to the other, as on a smooth canvas.
fn smoothed(rgba: &[u8], size: usize, zoom: usize) -> Vec<u8> {
    let edge = size * zoom;
    // The two pixels about each place, and the second one's share.
    let around: Vec<(usize, usize, f32)> = (0..edge)
        .map(|i| {
            let at = ((i as f32 + 0.5) / zoom as f32 - 0.5).clamp(0.0, (size - 1) as f32);
            let first = at as usize;
            (first, (first + 1).min(size - 1), at - first as f32)
        })
        .collect();
    let mut pixels = Vec::with_capacity(edge * edge * 4);
    for &(top, bottom, down) in &around {
        for &(left, right, along) in &around {
            for channel in 0..4 {
                let value = |row: usize, col: usize| f32::from(rgba[(row * size + col) * 4 + channel]);
                let row = |row: usize| value(row, left) * (1.0 - along) + value(row, right) * along;
                pixels.push((row(top) * (1.0 - down) + row(bottom) * down).round() as u8);
            }
        }
    }
    pixels
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_bytes::ByteBuf;

    fn picture(colour: [u8; 4]) -> Image {
        Image { size: 32, rgba: ByteBuf::from(colour.repeat(32 * 32)) }
    }

    fn gif(pictures: &[Image], smooth: bool) -> Result<Vec<u8>> {
        let pictures: Vec<&Image> = pictures.iter().collect();
        let mut film = Film::of(&pictures, smooth, 6)?;
        pictures.iter().for_each(|picture| film.add(picture));
        film.bytes()
    }

    #[test]
    fn a_gif_runs_to_and_fro_in_the_pictures_colours() {
        for smooth in [false, true] {
            runs_to_and_fro(smooth);
        }
    }

    fn runs_to_and_fro(smooth: bool) {
        let colours = [[200, 10, 10, 255], [10, 200, 10, 255], [10, 10, 200, 255]];
        let bytes = gif(&colours.map(picture), smooth).unwrap();
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(&bytes[..]).unwrap();
        assert_eq!((decoder.width(), decoder.repeat()), (256, gif::Repeat::Infinite));
        for expected in [0, 1, 2, 1].map(|i| colours[i]) {
            let frame = decoder.read_next_frame().unwrap().unwrap();
            assert_eq!((frame.width, frame.height), (256, 256));
            assert!(
                frame.buffer.chunks(4).all(|p| p.iter().zip(expected).all(|(a, b)| a.abs_diff(b) < 9)),
                "{expected:?}"
            );
        }
        assert!(decoder.read_next_frame().unwrap().is_none());
    }

    #[test]
    fn pixels_become_squares() {
        assert_eq!(enlarged(&[1, 2, 3, 4], 2, 2), [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
    }

    #[test]
    fn smooth_pictures_run_from_pixel_to_pixel() {
        let (black, white) = ([0, 0, 0, 255], [200, 200, 200, 255]);
        let row = |pixels: Vec<u8>| pixels[..32].chunks(4).map(|pixel| pixel[0]).collect::<Vec<_>>();
        let smooth = row(smoothed(&[black, white, black, white].concat(), 2, 4));
        assert_eq!(smooth, [0, 0, 25, 75, 125, 175, 200, 200]);
        assert_eq!(smoothed(&white, 1, 2), white.repeat(4));
    }

    #[test]
    fn pictures_of_several_sizes_are_refused() {
        let small = Image { size: 16, rgba: ByteBuf::from(vec![0; 16 * 16 * 4]) };
        assert!(gif(&[picture([0; 4]), small], false).is_err());
        assert!(gif(&[], false).is_err());
    }
}
