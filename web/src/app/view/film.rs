//! A latent's pictures as an animation in a file.

use js_sys::{Array, Uint8Array};
use web_sys::{Blob, Document};

use super::canvas::download;
use crate::error::{Error, Result};
use crate::messages::edit::Image;

/// Hundredths of a second that a frame is seen.
const DELAY: u16 = 6;
/// Pixels in a row of the file, at least.
const EDGE: usize = 256;

/// Pictures of one size as a GIF that runs to and fro for ever, every pixel a crisp square.
///
/// # Errors
/// [`Error::Request`] if there are no pictures, or of several sizes.
pub fn gif(pictures: &[Image]) -> Result<Vec<u8>> {
    let failed = |problem: String| Error::Request(format!("no GIF can be made: {problem}"));
    let size = pictures.first().map_or(0, |picture| picture.size) as usize;
    let fits = |picture: &Image| picture.size as usize == size && picture.rgba.len() == size * size * 4;
    if size == 0 || size > usize::from(u16::MAX) || !pictures.iter().all(fits) {
        return Err(failed("there are no pictures of one size".to_owned()));
    }
    let zoom = EDGE.div_ceil(size);
    let edge = (size * zoom) as u16;
    let frame = |picture: &Image| {
        // Colours are chosen among the picture's own pixels, before they become many.
        let mut frame = gif::Frame::from_rgba_speed(size as u16, size as u16, &mut picture.rgba.to_vec(), 10);
        frame.buffer = enlarged(&frame.buffer, size, zoom).into();
        (frame.width, frame.height, frame.delay) = (edge, edge, DELAY);
        frame
    };
    let frames: Vec<_> = pictures.iter().map(frame).collect();
    let mut bytes = Vec::new();
    let mut encoder = gif::Encoder::new(&mut bytes, edge, edge, &[]).map_err(|error| failed(error.to_string()))?;
    encoder.set_repeat(gif::Repeat::Infinite).map_err(|error| failed(error.to_string()))?;
    // The ends are seen once a round.
    for frame in frames.iter().chain(frames.iter().rev().skip(1).take(frames.len().saturating_sub(2))) {
        encoder.write_frame(frame).map_err(|error| failed(error.to_string()))?;
    }
    drop(encoder);
    Ok(bytes)
}

/// Hands the file out.
pub fn save(document: &Document, bytes: &[u8], name: &str) -> Result<()> {
    let blob = Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(bytes)))?;
    download(document, &blob, name)
}

fn enlarged(pixels: &[u8], size: usize, zoom: usize) -> Vec<u8> {
    let edge = size * zoom;
    (0..edge * edge).map(|i| pixels[i / edge / zoom * size + i % edge / zoom]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_bytes::ByteBuf;

    fn picture(colour: [u8; 4]) -> Image {
        Image { size: 32, rgba: ByteBuf::from(colour.repeat(32 * 32)) }
    }

    #[test]
    fn a_gif_runs_to_and_fro_in_the_pictures_colours() {
        let colours = [[200, 10, 10, 255], [10, 200, 10, 255], [10, 10, 200, 255]];
        let bytes = gif(&colours.map(picture)).unwrap();
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
    fn pictures_of_several_sizes_are_refused() {
        let small = Image { size: 16, rgba: ByteBuf::from(vec![0; 16 * 16 * 4]) };
        assert!(gif(&[picture([0; 4]), small]).is_err());
        assert!(gif(&[]).is_err());
    }
}
