//! What each command reads and writes.

use super::Command;
use crate::commands::blind::KEY;
use crate::outputs::{Files, Kind};

impl Command {
    /// The files that it names, but for data sets and for what `train` writes, whose folder guards itself.
    pub fn files(&self) -> Files<'_> {
        match self {
            Self::Sample(args) => Files::reading([&args.model]).writing("--out", &args.out, Kind::Picture),
            Self::Inpaint(args) => Files::reading(
                [&args.image, &args.mask, &args.model].into_iter().chain(&args.truth),
            )
            .writing("--out", &args.out, Kind::Picture),
            Self::EvalInpaint(args) => {
                Files::reading(&args.models).perhaps("--out", args.out.as_ref(), Kind::Folder(None))
            }
            Self::Progressive(args) => {
                Files::reading(args.images.iter().chain([&args.model])).writing("--out", &args.out, Kind::Picture)
            }
            Self::Encode(args) => {
                Files::reading(args.images.iter().chain([&args.model])).writing("--out", &args.out, Kind::Latents)
            }
            Self::Decode(args) => {
                Files::reading([&args.latents, &args.model]).writing("--out", &args.out, Kind::Folder(None))
            }
            Self::ReceptiveFields(args) => Files::reading([&args.model])
                .writing("--out", &args.out, Kind::Picture)
                .writing("--histogram", &args.histogram, Kind::Picture),
            Self::Mix(args) => Files::reading(args.images.iter().chain([&args.model]))
                .writing("--out", &args.out, Kind::Picture)
                .writing("--grid", &args.grid, Kind::Picture),
            Self::Factors(args) => Files::reading([&args.model].into_iter().chain(&args.image)).writing(
                "--out",
                &args.out,
                Kind::Folder(None),
            ),
            Self::Scales(args) => Files::reading([&args.model]).perhaps("--out", args.out.as_ref(), Kind::Json),
            Self::Quality(args) => Files::reading(&args.models).perhaps("--out", args.out.as_ref(), Kind::Json),
            Self::Blind(args) if args.count_failed.is_none() => {
                Files::reading(&args.sources).writing("--out", &args.out, Kind::Folder(Some(KEY)))
            }
            // These two may write over their own model.
            Self::FitLatents(args) => Files::default().perhaps("--out", args.out.as_ref(), Kind::Weights),
            Self::Export(args) => Files::default().perhaps("--out", args.out.as_ref(), Kind::Weights),
            Self::Import(args) => Files::reading([&args.state]).writing("--out", &args.out, Kind::Weights),
            Self::Neighbours(args) => Files::reading([&args.model]).perhaps("--out", args.out.as_ref(), Kind::Picture),
            Self::Paper(args) => {
                Files::reading(args.compare.iter().chain([&args.model])).writing("--out", &args.out, Kind::Folder(None))
            }
            Self::Pinwheel(args) => Files::default().writing("--out", &args.out, Kind::Picture),
            Self::Physics(args) => Files::reading([&args.model]).perhaps("--out", args.out.as_ref(), Kind::Picture),
            Self::Bench(args) => Files::default().perhaps("--out", args.out.as_ref(), Kind::Json),
            Self::Train(_)
            | Self::Blind(_)
            | Self::Presets(_)
            | Self::Eval(_)
            | Self::Ovals(_)
            | Self::Info(_)
            | Self::Data(_)
            | Self::Licences(_) => Files::default(),
        }
    }
}
