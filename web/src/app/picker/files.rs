//! What kind of file the page was given, by its first bytes and its name, and what to do about it.

use crate::index::shorten;

/// The bytes that [`Kind::of`] looks at; fewer of a shorter file.
pub const HEAD: usize = 512;

/// Pictures, weights, and files that are mistaken for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Weights that this page reads.
    Weights,
    /// A checkpoint of a training run.
    Checkpoint,
    /// Weights of PyTorch.
    Torch,
    /// A picture in a format that every browser reads.
    Picture(&'static str),
    /// A photograph from an iPhone.
    Heic,
    /// A picture in a format that some browsers read.
    Rare(&'static str),
    /// An archive.
    Archive,
    /// A document.
    Pdf,
    /// A video.
    Video,
    /// Text.
    Text,
    /// Nothing.
    Empty,
    /// Something else.
    Unknown,
}

impl Kind {
    /// The kind of a file of this name that begins with these bytes.
    pub fn of(name: &str, head: &[u8]) -> Self {
        let lower = name.to_lowercase();
        let extension = lower.rsplit_once('.').map_or("", |(_, extension)| extension);
        // What these hold looks like something else.
        match extension {
            "safetensors" => return Self::Weights,
            "ckpt" if !head.starts_with(b"PK") => return Self::Checkpoint,
            "ckpt" | "state" | "pt" | "pth" => return Self::Torch,
            _ if head.is_empty() => return Self::Empty,
            _ => {}
        }
        if let Some(kind) = by_bytes(head) {
            return kind;
        }
        match by_extension(extension) {
            Some(kind) => kind,
            None if is_text(head) => Self::Text,
            None => Self::Unknown,
        }
    }

    /// Whether a browser may be able to show it.
    pub fn may_be_shown(self) -> bool {
        matches!(self, Self::Picture(_) | Self::Heic | Self::Rare(_) | Self::Unknown)
    }

    /// Why a file of this kind is no picture here, in a few words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Weights | Self::Checkpoint | Self::Torch => "weights",
            Self::Picture(_) => "damaged",
            Self::Heic => "HEIC, which this browser cannot read",
            Self::Rare(_) => "a format that this browser cannot read",
            Self::Archive => "an archive in an archive",
            Self::Pdf => "a PDF document",
            Self::Video => "a video",
            Self::Text => "a text",
            Self::Empty => "empty",
            Self::Unknown => "no picture",
        }
    }

    /// Why a file of this kind and name could not be used, and what to do.
    pub fn advice(self, name: &str) -> String {
        let what = match self {
            Self::Weights => "holds weights: drop it onto the page, not where a picture is wanted".to_owned(),
            Self::Checkpoint => "is a training run’s checkpoint: export it first, `trainer export RUN --name mine \
                                 --out mine.safetensors`, and open what that writes"
                .to_owned(),
            Self::Torch => format!(
                "holds weights for PyTorch: import them first, `trainer import {} --out mine.safetensors`, and open \
                 what that writes",
                shorten(name)
            ),
            Self::Picture(format) => format!(
                "is called a {format} file or begins like one, but is damaged: copy it again, or save it again in an image \
                 editor"
            ),
            Self::Heic => "is a HEIC photograph, which this browser cannot read: save or send it as JPEG (on an \
                           iPhone: Settings, Camera, Formats, Most Compatible)"
                .to_owned(),
            Self::Rare(format) => {
                format!("is a {format} file, which this browser cannot read: save it as JPEG or PNG and open that")
            }
            Self::Archive => "is an archive: unpack it, and open one picture at a time".to_owned(),
            Self::Pdf => "is a PDF document: save the picture in it as JPEG or PNG and open that".to_owned(),
            Self::Video => "is a video: save one frame of it as a picture and open that".to_owned(),
            Self::Text if name.to_lowercase().contains(".safetensors") => {
                "is a text file, not weights, whatever its name says: open the .safetensors file that \
                 `trainer export` wrote"
                    .to_owned()
            }
            Self::Text => {
                "is a text file, not a picture: open a JPEG, PNG or WebP file; weights end in .safetensors".to_owned()
            }
            Self::Empty => "is empty: copy it again".to_owned(),
            Self::Unknown => {
                "is not a picture that this browser can read: open a JPEG, PNG or WebP file; weights end in .safetensors"
                    .to_owned()
            }
        };
        format!("“{}” {what}.", shorten(name))
    }
}

fn by_bytes(head: &[u8]) -> Option<Kind> {
    let has = |at: usize, bytes: &[u8]| head.get(at..).is_some_and(|rest| rest.starts_with(bytes));
    let kind = match head {
        _ if has(0, b"\xff\xd8\xff") => Kind::Picture("JPEG"),
        _ if has(0, b"\x89PNG") => Kind::Picture("PNG"),
        _ if has(0, b"GIF8") => Kind::Picture("GIF"),
        _ if has(0, b"RIFF") && has(8, b"WEBP") => Kind::Picture("WebP"),
        _ if has(0, b"RIFF") => Kind::Video,
        _ if has(0, b"BM") && has(14, b"\x28\0\0\0") => Kind::Picture("BMP"),
        _ if has(0, b"II*\0") || has(0, b"MM\0*") => Kind::Rare("TIFF or raw camera"),
        _ if has(0, b"\0\0\0\x0cJXL ") || has(0, b"\xff\x0a") => Kind::Rare("JPEG XL"),
        _ if has(4, b"ftyp") => match &head[8..head.len().min(12)] {
            b"avif" | b"avis" => Kind::Rare("AVIF"),
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1" => Kind::Heic,
            _ => Kind::Video,
        },
        _ if has(0, b"\x1a\x45\xdf\xa3") => Kind::Video,
        _ if has(0, b"PK\x03\x04") || has(0, b"\x1f\x8b") || has(0, b"7z\xbc\xaf") || has(0, b"Rar!") => Kind::Archive,
        _ if has(257, b"ustar") => Kind::Archive,
        _ if has(0, b"%PDF") => Kind::Pdf,
        // The length of a header that is JSON.
        _ if has(6, b"\0\0{\"") => Kind::Weights,
        _ if is_text(head) && String::from_utf8_lossy(head).contains("<svg") => Kind::Rare("SVG"),
        _ => return None,
    };
    Some(kind)
}

fn by_extension(extension: &str) -> Option<Kind> {
    Some(match extension {
        "jpg" | "jpeg" | "jfif" => Kind::Picture("JPEG"),
        "png" => Kind::Picture("PNG"),
        "gif" => Kind::Picture("GIF"),
        "webp" => Kind::Picture("WebP"),
        "bmp" => Kind::Picture("BMP"),
        "heic" | "heif" => Kind::Heic,
        "avif" => Kind::Rare("AVIF"),
        "svg" => Kind::Rare("SVG"),
        "tif" | "tiff" | "dng" | "cr2" | "cr3" | "nef" | "arw" => Kind::Rare("TIFF or raw camera"),
        "zip" | "7z" | "rar" | "tar" | "gz" | "tgz" => Kind::Archive,
        "pdf" => Kind::Pdf,
        "mp4" | "mov" | "webm" | "avi" | "mkv" => Kind::Video,
        _ => return None,
    })
}

/// Whether it is text, perhaps with its last character cut.
fn is_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or(""),
        Err(_) => return false,
    };
    !text.is_empty() && !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_bytes_and_else_by_their_names() {
        for (name, head, kind) in [
            ("step-00000500.ckpt", &b"\xb4\x03\0\0\0\0\0\0{\"__metadata__\""[..], Kind::Checkpoint),
            ("step-00000500.ckpt", b"x", Kind::Checkpoint),
            ("epoch=3.ckpt", b"PK\x03\x04", Kind::Torch),
            ("celeba32.state", b"x", Kind::Torch),
            ("FACES.SAFETENSORS", b"x", Kind::Weights),
            ("faces.safetensors.txt", b"\x40\x10\0\0\0\0\0\0{\"a\":", Kind::Weights),
            ("faces.safetensors.txt", b"x", Kind::Text),
            ("photos.zip", b"x", Kind::Archive),
            ("a.png", b"x", Kind::Picture("PNG")),
            ("half.jpg", b"\xff\xd8\xff\xe0", Kind::Picture("JPEG")),
            // Telephones rename what they do not convert.
            ("IMG_0001.jpg", b"\0\0\0\x24ftypheic\0\0\0\0", Kind::Heic),
            ("IMG_0001.HEIC", b"x", Kind::Heic),
            ("clip.heic", b"\0\0\0\x24ftypqt  ", Kind::Video),
            ("logo", b"<?xml version=\"1.0\"?><svg xmlns=", Kind::Rare("SVG")),
            ("notes", "Ünïcode\n".as_bytes(), Kind::Text),
            ("cut", &"ü".as_bytes()[..1], Kind::Unknown),
            ("noise", b"\x01\x02\x03", Kind::Unknown),
            ("nothing.jpg", b"", Kind::Empty),
        ] {
            assert_eq!(Kind::of(name, head), kind, "{name} {head:?}");
        }
        assert!(is_text(b"a\xc3") && !is_text(b"a\xc3a"));
    }

    #[test]
    fn no_beginning_of_a_file_is_a_surprise() {
        let whole = b"\0\0\0\x24ftypheic";
        let kinds: Vec<Kind> = (0..=whole.len()).map(|end| Kind::of("x", &whole[..end])).collect();
        assert_eq!((kinds[0], kinds[7], kinds[12]), (Kind::Empty, Kind::Unknown, Kind::Heic));
        for byte in 0..=u8::MAX {
            let kind = Kind::of("", &[byte; 12]);
            assert!(matches!(kind, Kind::Text | Kind::Unknown), "{byte}: {kind:?}");
        }
    }

    #[test]
    fn each_kind_is_named_with_what_to_do() {
        for (kind, name, words) in [
            (Kind::Checkpoint, "step-00000500.ckpt", "trainer export"),
            (Kind::Torch, "celeba32.state", "trainer import celeba32.state"),
            (Kind::Text, "faces.safetensors.txt", "not weights"),
            (Kind::Text, "notes.txt", "text file, not a picture"),
            (Kind::Heic, "IMG_1.HEIC", "JPEG"),
            (Kind::Picture("JPEG"), "half.jpg", "JPEG file or begins like one, but is damaged"),
            (Kind::Archive, "photos.zip", "one picture at a time"),
            (Kind::Empty, "a.png", "empty"),
        ] {
            let advice = kind.advice(name);
            assert!(advice.starts_with(&format!("“{name}” ")) && advice.contains(words), "{advice}");
        }
        assert!(Kind::Unknown.advice(&"x".repeat(1000)).chars().count() < 140);
    }
}
