//! What the train panel says.

use super::address::TrainSettings;
use super::state::{Doing, Train, Worker};
use crate::app::widgets::numbers::grouped;
use crate::protocol::{Backend, ModelSize, Run};

/// What the main button says, and whether it does something.
pub fn button(train: &Train, settings: &TrainSettings) -> (&'static str, bool) {
    match (&train.worker, train.doing()) {
        (Worker::Gone(_), _) if train.run.is_some() => ("Start again from what was kept", true),
        (Worker::Gone(_), _) => ("Try again", true),
        (Worker::Off | Worker::Starting, _) | (_, Doing::Finding) => ("Getting ready…", false),
        (_, Doing::Beginning) => ("Starting…", false),
        (_, Doing::Learning) => ("Pause", true),
        (_, Doing::Pausing) => ("Pausing…", false),
        (_, Doing::Forgetting) => ("Deleting…", false),
        (_, Doing::Nothing) if train.run.is_some() => ("Go on", true),
        (_, Doing::Nothing) => ("Start", train.can_begin(settings)),
    }
}

/// How it stands, in a sentence that changes as seldom as that: a screen reader reads it out.
pub fn status(train: &Train, settings: &TrainSettings) -> String {
    let kept = train.run.as_ref().is_none_or(|run| run.learned.kept);
    let stands = match (&train.worker, train.doing()) {
        (Worker::Gone(why), _) => {
            return format!(
                "Learning broke down: {} If this device ran out of memory, close other pages or choose a smaller model. \
                 What this browser kept is still there.",
                sentence(why)
            );
        }
        (Worker::Off | Worker::Starting, _) | (_, Doing::Finding | Doing::Forgetting | Doing::Pausing) => "",
        (_, Doing::Beginning) => "Looking at all pictures once: their mean, and what goes together in them.",
        (_, Doing::Learning) if kept => {
            "It is learning. The other panels stay free meanwhile; “Use it” lets them work with what it has learned."
        }
        (_, Doing::Learning) => "It is learning. This browser does not keep it: save the weights before you leave.",
        (_, Doing::Nothing) => match &train.run {
            Some(_) if train.found => "This run was kept in this browser. Go on with it, use it, or start over.",
            Some(_) if kept => "Paused. This browser keeps the run until you start over.",
            Some(_) => "Paused. This browser does not keep it: save the weights before you leave.",
            None if settings.own && !train.collection.is_fit() && !train.collection.reading => {
                "Choose at least 20 pictures first."
            }
            None => "",
        },
    };
    let next = if train.early { "Your new pictures are for the next run: start over to learn from them." } else { "" };
    let said: Vec<&str> = [train.problem.as_str(), stands, next].into_iter().filter(|text| !text.is_empty()).collect();
    said.join(" ")
}

/// What the sheet shows.
pub fn caption(train: &Train, settings: &TrainSettings) -> String {
    match &train.run {
        Some(run) if run.learned.step == 0 => {
            "Sixteen samples, from the pictures’ mean and covariances alone".to_owned()
        }
        Some(run) => format!("Sixteen samples after {}", steps(run.learned.step)),
        None if !settings.own => "Ovals like those that it will learn from".to_owned(),
        None if train.collection.shown.is_empty() => "Your pictures will be here, and then its samples".to_owned(),
        None => "The first of the pictures that it will learn from".to_owned(),
    }
}

/// What is known of a run, in the order to read it.
pub fn facts(run: &Run, runs_on: &(Backend, String)) -> [(&'static str, String); 7] {
    let learned = &run.learned;
    let bits = learned.curve.last().map_or_else(String::new, |point| {
        let train = point.train.map(|bits| format!(", {bits:.2} on those learned from")).unwrap_or_default();
        format!("{:.2} on new pictures{train}", point.held_out)
    });
    let kind = if run.own { "of yours" } else { "ovals" };
    let pictures = format!("{} {kind}, {} more to compare with", grouped(run.pictures as usize), run.held_out);
    [
        ("Bits/dim", bits),
        ("Speed", a_second(learned.speed)),
        ("Runs on", on(runs_on)),
        ("Time", time(learned.millis)),
        ("Seen", format!("{} pictures in {}", grouped(learned.images as usize), steps(learned.step))),
        ("Learns from", pictures),
        ("Model", format!("{}, {:.2} million parameters", size(run.size), f64::from(run.params) / 1e6)),
    ]
}

/// What it trains on, and why.
fn on((backend, note): &(Backend, String)) -> String {
    if note.is_empty() { backend.name().to_owned() } else { format!("{}. {note}", backend.name()) }
}

/// A size's name.
pub fn size(size: ModelSize) -> &'static str {
    match size {
        ModelSize::Small => "small",
        ModelSize::Medium => "medium",
        ModelSize::Large => "large",
    }
}

/// What the other panels have of the run.
pub fn used(train: &Train, in_use: bool) -> String {
    let (Some(run), Some(used), true) = (&train.run, train.used, in_use) else { return String::new() };
    if run.learned.step > used {
        format!("The other panels use it as it was after {}. “Use it” again takes it as it is now.", steps(used))
    } else {
        "The other panels use it as it is now.".to_owned()
    }
}

/// A time in milliseconds.
pub fn time(millis: f64) -> String {
    let seconds = (millis / 1000.0).max(0.0) as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

fn steps(count: u64) -> String {
    if count == 1 { "1 step".to_owned() } else { format!("{} steps", grouped(count as usize)) }
}

/// With a full stop at its end.
fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// How many pictures it learns from in a second.
fn a_second(speed: f64) -> String {
    match speed.round().max(0.0) as usize {
        1 => "1 picture a second".to_owned(),
        count => format!("{} pictures a second", grouped(count)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_runs_on_comes_with_a_reason_where_there_is_one() {
        assert_eq!(on(&(Backend::Cpu, String::new())), "CPU (SIMD)");
        assert_eq!(on(&(Backend::Gpu, "It is faster.".into())), "WebGPU. It is faster.");
    }

    #[test]
    fn times_are_for_people() {
        for (millis, text) in [
            (0.0, "0 s"),
            (59_999.0, "59 s"),
            (60_000.0, "1 min"),
            (200_000.0, "3 min 20 s"),
            (7_260_000.0, "2 h 1 min"),
        ] {
            assert_eq!(time(millis), text);
        }
        assert_eq!((steps(1), steps(1200)), ("1 step".to_owned(), "1,200 steps".to_owned()));
    }
}
