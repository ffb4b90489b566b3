//! `models/index.json`: the models that a page offers.

use serde::{Deserialize, Serialize};
use shared::weights::ModelFile;

use crate::address::{MAX_LEVELS, MAX_SEED};
use crate::error::{Error, Result};

/// The index's format that this page reads.
const FORMAT: u32 = 1;
/// The most bytes of an index.
pub const MAX_INDEX_BYTES: u64 = 64 * 1024;
/// The most holes of a model, and the most letters of a hole's name.
const MAX_HOLES: usize = 8;
const MAX_HOLE_NAME: usize = 24;
/// The most seeds that are offered.
const MAX_SEEDS: usize = 24;
/// The most named directions of a model, and the most letters of such a name.
const MAX_DIRECTIONS: usize = 16;
const MAX_DIRECTION_NAME: usize = 40;
/// The most letters of what a scale decides.
const MAX_SCALE_WORDS: usize = 80;
/// The most eyes of a face.
const MAX_EYES: usize = 2;
/// The most letters of a sentence about a mixture.
const MAX_SENTENCE: usize = 120;
/// The largest edge that a model is grown to.
const MAX_GROWN: u32 = 128;
/// The most bytes of a model that the page fetches.
pub const MAX_MODEL_BYTES: u64 = 256 * 1024 * 1024;

/// One model that can be fetched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelEntry {
    /// Short name, as addresses spell it: letters, digits, `-` and `_`.
    pub id: String,
    /// Its name on the page.
    pub title: String,
    /// The file's name, beside the index.
    pub file: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// The edge of the pictures that it is grown to when it is loaded, if that is not its own: its second coarsest level is
    /// repeated ([`shared::weights::ModelFile::grown`]).
    #[serde(default)]
    pub grown: Option<u32>,
    /// The starts of the digests of earlier files with the same weights: links made with them keep their pictures.
    #[serde(default)]
    pub earlier: Vec<String>,
    /// What it was trained on, in a sentence.
    #[serde(default)]
    pub description: String,
    /// Licence and attribution of the data.
    #[serde(default)]
    pub licence: String,
    /// Whether the page starts with it.
    #[serde(default)]
    pub default: bool,
    /// Whether its pictures are pixel art, to be shown in squares unless the reader wants them smooth.
    #[serde(default)]
    pub crisp: bool,
    /// Seeds whose samples were looked at and found good, to be offered.
    #[serde(default)]
    pub seeds: Vec<u64>,
    /// What each scale of its pictures decides, coarsest first: after “4×4 decides”.
    #[serde(default)]
    pub scales: Vec<String>,
    /// How many bits each new number of a scale usually takes, coarsest first: mean and deviation over test pictures, as
    /// `trainer eval --usual` prints them.
    #[serde(default)]
    pub usual: Vec<[f32; 2]>,
    /// Ready-made holes for its pictures, the best one to start with first.
    #[serde(default)]
    pub holes: Vec<NamedHole>,
    /// A model of another architecture for the same pictures, to compare with. It is not on offer by itself.
    #[serde(default)]
    pub rival: Option<Box<ModelEntry>>,
    /// The id of a model that differs in one thing, its prior, to compare with.
    #[serde(default)]
    pub twin: Option<String>,
    /// Names of its leading directions, the first one's first: what several pictures agree on. Empty where they do not.
    #[serde(default)]
    pub directions: Vec<String>,
    /// Where the eyes are, if its pictures are faces: column and row, in hundredths of the picture's edge. Guides for
    /// the reader's own photograph.
    #[serde(default)]
    pub eyes: Vec<[u8; 2]>,
    /// Two samples that show at a glance what mixing does.
    #[serde(default)]
    pub pair: Option<Pair>,
}

/// Two samples of the good seed ([`crate::address::GOOD_SEED`]), drawn as the model recommends, and what their mixtures show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// Which sample is A.
    pub a: u32,
    /// Which is B.
    pub b: u32,
    /// The dividing level that shows it best.
    pub cut: u8,
    /// For each dividing level from 1 up to the last but one, what either picture gives, in a sentence. `{coarse}` and
    /// `{fine}` stand for the names of the two.
    #[serde(default)]
    pub says: Vec<String>,
}

impl Pair {
    /// What the mixture at a dividing level shows.
    pub fn sentence(&self, cut: usize, coarse: &str, fine: &str) -> Option<String> {
        let says = self.says.get(cut.checked_sub(1)?)?;
        Some(says.replace("{coarse}", coarse).replace("{fine}", fine))
    }

    fn is_sound(&self) -> bool {
        let brief = |text: &String| (1..=MAX_SENTENCE).contains(&text.chars().count());
        self.says.len() <= MAX_LEVELS && usize::from(self.cut) <= MAX_LEVELS && self.says.iter().all(brief)
    }
}

/// A ready-made hole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedHole {
    /// Its name on the page.
    pub name: String,
    /// Its top, left, bottom and right border, in hundredths of the picture's edge.
    pub borders: [u8; 4],
}

impl NamedHole {
    /// The pixels of a picture of that edge that it takes, (row, column).
    pub fn pixels(&self, edge: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let [top, left, bottom, right] = self.borders.map(|border| (usize::from(border) * edge + 50) / 100);
        (top..bottom).flat_map(move |row| (left..right).map(move |col| (row, col)))
    }

    fn is_sound(&self) -> bool {
        let [top, left, bottom, right] = self.borders;
        let named = (1..=MAX_HOLE_NAME).contains(&self.name.chars().count());
        named && top < bottom && left < right && bottom <= 100 && right <= 100
    }
}

/// The list of models.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelIndex {
    /// Version of this format.
    pub format: u32,
    /// The models, in the order to show them.
    pub models: Vec<ModelEntry>,
}

impl ModelIndex {
    /// Reads an index that may be anything.
    ///
    /// # Errors
    /// [`Error::Index`] says what is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let index: Self = serde_json::from_slice(bytes).map_err(|e| Error::Index(e.to_string()))?;
        if index.format != FORMAT {
            return Err(Error::Index(format!("format {}, but this page reads {FORMAT}", index.format)));
        }
        for (i, model) in index.models.iter().enumerate() {
            model.check()?;
            if index.models[..i].iter().any(|other| other.id == model.id) {
                return Err(Error::Index(format!("two models are called {}", model.id)));
            }
        }
        Ok(index)
    }

    /// The model of that id.
    pub fn get(&self, id: &str) -> Option<&ModelEntry> {
        self.models.iter().find(|model| model.id == id)
    }

    /// The model that a link means: the one of that id, unless another one has the weights that it was made with.
    pub fn find(&self, id: &str, version: Option<&str>) -> Option<&ModelEntry> {
        let has_weights = |model: &&ModelEntry| version.is_some_and(|version| model.has_weights_of(version));
        let named = self.get(id);
        named.filter(has_weights).or_else(|| self.models.iter().find(has_weights)).or(named)
    }

    /// The first model with a rival.
    pub fn first_with_rival(&self) -> Option<&ModelEntry> {
        self.models.iter().find(|model| model.rival.is_some())
    }

    /// The model to start with.
    pub fn first_choice(&self) -> Option<&ModelEntry> {
        self.models.iter().find(|model| model.default).or(self.models.first())
    }
}

impl ModelEntry {
    /// Whether the file whose digest starts so has these weights.
    pub fn has_weights_of(&self, version: &str) -> bool {
        self.sha256.starts_with(version) || self.earlier.iter().any(|earlier| earlier == version)
    }

    /// The model in its file's bytes, which may be anything, grown if the list says so.
    ///
    /// # Errors
    /// [`Error::Model`] if it is not one, or cannot grow so far.
    pub fn open(&self, bytes: &[u8]) -> Result<ModelFile> {
        let file = ModelFile::from_bytes(bytes)?;
        Ok(match self.grown {
            Some(edge) => file.grown(edge as usize)?,
            None => file,
        })
    }

    fn check(&self) -> Result<()> {
        if let Some(rival) = &self.rival {
            if rival.rival.is_some() {
                return Err(Error::Index(format!("{}'s rival has a rival", shorten(&self.id))));
            }
            rival.check()?;
        }
        let fail = |what: String| Err(Error::Index(what));
        if !is_id(&self.id) {
            return fail(format!("{:?} cannot be a model's id", shorten(&self.id)));
        }
        let name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if self.file.is_empty() || self.file.len() > 128 || self.file.starts_with('.') || !self.file.chars().all(name) {
            return fail(format!("{:?} is not a file's name beside the index", shorten(&self.file)));
        }
        if self.bytes == 0 || self.bytes > MAX_MODEL_BYTES {
            return fail(format!("{} has {} bytes; 1 to {MAX_MODEL_BYTES} are possible", self.id, self.bytes));
        }
        if self.sha256.len() != 64 || !self.sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return fail(format!("{}'s SHA-256 is not 64 digits of lower-case hexadecimal", self.id));
        }
        if self.grown.is_some_and(|edge| edge > MAX_GROWN) {
            return fail(format!("{} is grown to more than {MAX_GROWN}×{MAX_GROWN}", self.id));
        }
        if self.holes.len() > MAX_HOLES || !self.holes.iter().all(NamedHole::is_sound) {
            return fail(format!("{} has holes that are not inside its pictures", self.id));
        }
        let named = |name: &String| name.chars().count() <= MAX_DIRECTION_NAME;
        if self.directions.len() > MAX_DIRECTIONS || !self.directions.iter().all(named) {
            return fail(format!("{} has too many directions, or too long names for them", self.id));
        }
        if self.seeds.len() > MAX_SEEDS || self.seeds.iter().any(|&seed| seed > MAX_SEED) {
            return fail(format!("{} has too many seeds, or one that the page cannot take", self.id));
        }
        let sound = |words: &String| (1..=MAX_SCALE_WORDS).contains(&words.chars().count());
        if self.scales.len() > MAX_LEVELS || !self.scales.iter().all(sound) {
            return fail(format!("{} says too much of its scales", self.id));
        }
        let sound = |&[mean, deviation]: &[f32; 2]| mean.is_finite() && deviation.is_finite() && deviation > 0.0;
        if self.usual.len() > MAX_LEVELS || !self.usual.iter().all(sound) {
            return fail(format!("{} has usual bits that are not a mean and a deviation for each scale", self.id));
        }
        if self.eyes.len() > MAX_EYES || self.eyes.iter().flatten().any(|&share| share > 100) {
            return fail(format!("{} has eyes that are not inside its pictures", self.id));
        }
        if !self.pair.as_ref().is_none_or(Pair::is_sound) {
            return fail(format!("{} has a pair that cannot be mixed or described", self.id));
        }
        Ok(())
    }
}

/// Whether `text` can be a model's id.
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// The start of a text from outside, for a message.
pub(crate) fn shorten(text: &str) -> String {
    let mut start: String = text.chars().take(24).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, default: bool) -> serde_json::Value {
        serde_json::json!({
            "id": id, "title": "Faces", "file": format!("{id}.safetensors"), "bytes": 1000,
            "sha256": "0".repeat(64), "default": default
        })
    }

    fn parse(models: serde_json::Value) -> Result<ModelIndex> {
        ModelIndex::parse(serde_json::json!({"format": 1, "models": models}).to_string().as_bytes())
    }

    #[test]
    fn the_default_comes_first_and_else_the_first() {
        let index = parse(serde_json::json!([entry("a", false), entry("b", true)])).unwrap();
        assert_eq!(index.first_choice().unwrap().id, "b");
        assert_eq!(index.get("a").unwrap().file, "a.safetensors");
        assert!(index.get("c").is_none());
        let index = parse(serde_json::json!([entry("a", false), entry("b", false)])).unwrap();
        assert_eq!(index.first_choice().unwrap().id, "a");
    }

    #[test]
    fn a_link_finds_its_weights_under_another_name() {
        let mut models = [entry("faces", true), entry("faces32", false)];
        models[0]["sha256"] = "1".repeat(64).into();
        let index = parse(serde_json::json!(models)).unwrap();
        let found = |id, version| index.find(id, version).map(|model| model.id.as_str());
        assert_eq!(found("faces", None), Some("faces"));
        assert_eq!(found("faces", Some("11111111")), Some("faces"));
        assert_eq!(found("faces", Some("00000000")), Some("faces32"));
        assert_eq!(found("gone", Some("00000000")), Some("faces32"));
        assert_eq!(found("faces", Some("22222222")), Some("faces"));
        assert_eq!(found("gone", Some("22222222")), None);
    }

    #[test]
    fn a_hole_is_the_same_share_of_every_size() {
        let mut model = entry("a", true);
        model["holes"] = serde_json::json!([{"name": "Mouth", "borders": [62, 28, 84, 72]}]);
        let hole = parse(serde_json::json!([model])).unwrap().models.remove(0).holes.remove(0);
        let pixels: Vec<_> = hole.pixels(32).collect();
        assert_eq!((pixels[0], pixels[pixels.len() - 1]), ((20, 9), (26, 22)));
        assert_eq!(hole.pixels(64).count(), (54 - 40) * (46 - 18));
    }

    #[test]
    fn a_rival_is_checked_like_a_model_and_has_none_of_its_own() {
        let with = |rival: serde_json::Value| {
            let mut model = entry("a", true);
            model["rival"] = rival;
            parse(serde_json::json!([entry("b", false), model]))
        };
        let index = with(entry("a-realnvp", false)).unwrap();
        assert_eq!(index.first_with_rival().unwrap().rival.as_ref().unwrap().file, "a-realnvp.safetensors");
        assert!(index.get("a-realnvp").is_none());
        let mut bad = entry("a-realnvp", false);
        bad["file"] = "../secret".into();
        assert!(with(bad).unwrap_err().to_string().contains("not a file's name"));
        let mut deep = entry("a-realnvp", false);
        deep["rival"] = entry("c", false);
        assert!(with(deep).unwrap_err().to_string().contains("rival has a rival"));
    }

    #[test]
    fn a_pair_says_what_each_picture_gives() {
        let pair = Pair { a: 1, b: 2, cut: 1, says: vec!["{fine} lends the eyes; {coarse} keeps the rest.".into()] };
        assert_eq!(pair.sentence(1, "A", "B").unwrap(), "B lends the eyes; A keeps the rest.");
        assert_eq!((pair.sentence(0, "A", "B"), pair.sentence(2, "A", "B")), (None, None));
    }

    #[test]
    fn no_models_is_a_valid_list() {
        assert!(parse(serde_json::json!([])).unwrap().first_choice().is_none());
    }

    #[test]
    fn hostile_lists_are_refused() {
        let spoiled = |key: &str, value: serde_json::Value| {
            let mut model = entry("a", false);
            model[key] = value;
            parse(serde_json::json!([model])).unwrap_err().to_string()
        };
        assert!(spoiled("id", "../x".into()).contains("cannot be a model's id"));
        assert!(spoiled("id", "x".repeat(65).into()).contains('…'));
        for file in ["", "../secret", "/etc/passwd", "https://example.org/x", ".hidden", "a/b", "a\\b"] {
            assert!(spoiled("file", file.into()).contains("not a file's name"), "{file}");
        }
        assert!(spoiled("bytes", 0.into()).contains("0 bytes"));
        assert!(spoiled("bytes", (MAX_MODEL_BYTES + 1).into()).contains("possible"));
        assert!(spoiled("bytes", (-1).into()).contains("damaged"));
        assert!(spoiled("sha256", "A".repeat(64).into()).contains("SHA-256"));
        assert!(spoiled("sha256", "0".into()).contains("SHA-256"));
        let hole = |name: &str, borders: [u8; 4]| serde_json::json!([{"name": name, "borders": borders}]);
        for holes in [hole("Eyes", [50, 0, 20, 100]), hole("Eyes", [0, 0, 101, 9]), hole("", [0, 0, 9, 9])] {
            assert!(spoiled("holes", holes).contains("holes"));
        }
        assert!(spoiled("directions", serde_json::json!(["x".repeat(41)])).contains("directions"));
        for seeds in [serde_json::json!([MAX_SEED + 1]), serde_json::json!(vec![1; MAX_SEEDS + 1])] {
            assert!(spoiled("seeds", seeds).contains("seeds"));
        }
        assert!(spoiled("grown", 256.into()).contains("128×128"));
        for eyes in [serde_json::json!([[30, 101]]), serde_json::json!([[1, 1], [2, 2], [3, 3]])] {
            assert!(spoiled("eyes", eyes).contains("eyes"));
        }
        for usual in
            [serde_json::json!([[4.0, 0.0]]), serde_json::json!([[1e300, 1.0]]), serde_json::json!(vec![[4, 1]; 99])]
        {
            assert!(spoiled("usual", usual).contains("usual"));
        }
        for pair in [
            serde_json::json!({"a": 0, "b": 1, "cut": 99}),
            serde_json::json!({"a": 0, "b": 1, "cut": 1, "says": [""]}),
            serde_json::json!({"a": 0, "b": 1, "cut": 1, "says": ["x".repeat(200)]}),
        ] {
            assert!(spoiled("pair", pair).contains("pair"));
        }
        assert!(parse(serde_json::json!([entry("a", false), entry("a", true)])).is_err());
        assert!(ModelIndex::parse(b"").is_err());
        assert!(ModelIndex::parse(b"<!doctype html>").is_err());
        assert!(ModelIndex::parse(b"\xff\xfe").is_err());
        assert!(ModelIndex::parse(br#"{"format":2,"models":[]}"#).unwrap_err().to_string().contains("format 2"));
    }
}
