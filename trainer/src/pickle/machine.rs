//! The stack machine that pickles are programs of.

use std::collections::HashMap;

use super::node::{Id, Node, Result};

/// Runs the program at the start of `bytes`: all values, the last one, and what follows the program.
pub(super) fn run(bytes: &[u8]) -> Result<(Vec<Node<'_>>, Id, &[u8])> {
    let mut machine =
        Machine { rest: bytes, nodes: Vec::new(), stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() };
    while let Some(code) = machine.step()? {
        machine.run(code)?;
    }
    let root = machine.pop()?;
    Ok((machine.nodes, root, machine.rest))
}

struct Machine<'a> {
    rest: &'a [u8],
    nodes: Vec<Node<'a>>,
    stack: Vec<Id>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
}

impl<'a> Machine<'a> {
    /// The next instruction; none at the end.
    fn step(&mut self) -> Result<Option<u8>> {
        let [code] = self.array()?;
        Ok((code != b'.').then_some(code))
    }

    fn run(&mut self, code: u8) -> Result<()> {
        match code {
            // The protocol's number and the frames of protocol 4 change nothing.
            0x80 => self.array::<1>().map(drop),
            0x95 => self.array::<8>().map(drop),
            b'(' => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'0' => self.pop().map(drop),
            b'1' => self.above_mark().map(drop),
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
                Ok(())
            }
            b'N' => self.push(Node::None),
            0x88 => self.push(Node::Bool(true)),
            0x89 => self.push(Node::Bool(false)),
            b'I' | b'L' => self.decimal(),
            b'K' => self.array::<1>().and_then(|[v]| self.push(Node::Int(v.into()))),
            b'M' => self.array().map(u16::from_le_bytes).and_then(|v| self.push(Node::Int(v.into()))),
            b'J' => self.array().map(i32::from_le_bytes).and_then(|v| self.push(Node::Int(v.into()))),
            0x8a => self.array::<1>().and_then(|[n]| self.long(n.into())),
            0x8b => self.array().map(u32::from_le_bytes).and_then(|n| self.long(n as usize)),
            b'F' => self.line().and_then(|_| self.push(Node::Float)),
            b'G' => self.array::<8>().and_then(|_| self.push(Node::Float)),
            b'S' => {
                let line = self.line()?;
                let quoted = |quote| line.strip_prefix(quote)?.strip_suffix(quote);
                let inner = quoted('\'').or_else(|| quoted('"')).filter(|inner: &&str| !inner.contains('\\'));
                self.push(Node::Bytes(inner.ok_or("a string with escapes")?.as_bytes()))
            }
            b'V' => {
                let line = self.line()?;
                self.push(Node::Text(Some(line).filter(|line| !line.contains('\\')).ok_or("a string with escapes")?))
            }
            b'U' | b'C' => self.array::<1>().and_then(|[n]| self.bytes(n.into())),
            b'T' | b'B' => self.array().map(u32::from_le_bytes).and_then(|n| self.bytes(n.into())),
            0x8e | 0x96 => self.array().map(u64::from_le_bytes).and_then(|n| self.bytes(n)),
            0x8c => self.array::<1>().and_then(|[n]| self.text(n.into())),
            b'X' => self.array().map(u32::from_le_bytes).and_then(|n| self.text(n.into())),
            0x8d => self.array().map(u64::from_le_bytes).and_then(|n| self.text(n)),
            b')' => self.push(Node::Tuple(vec![])),
            b']' | 0x8f => self.push(Node::List(vec![])),
            b'}' => self.push(Node::Dict(vec![])),
            b't' => self.above_mark().and_then(|entries| self.push(Node::Tuple(entries))),
            b'l' | 0x91 => self.above_mark().and_then(|entries| self.push(Node::List(entries))),
            b'd' => {
                let entries = self.above_mark()?;
                let pairs = pairs(&entries)?;
                self.push(Node::Dict(pairs))
            }
            0x85..=0x87 => self.last(usize::from(code - 0x84)).and_then(|entries| self.push(Node::Tuple(entries))),
            b'a' => self.last(1).and_then(|entries| self.append(entries)),
            b'e' | 0x90 => self.above_mark().and_then(|entries| self.append(entries)),
            b's' => self.last(2).and_then(|entries| self.set(&entries)),
            b'u' => self.above_mark().and_then(|entries| self.set(&entries)),
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push(Node::Global(module, name))
            }
            0x93 => {
                let names = self.last(2)?;
                let name = |id: Id| match self.nodes.get(id) {
                    Some(Node::Text(text)) => Ok(*text),
                    _ => Err("a name that is not text".to_string()),
                };
                let global = Node::Global(name(names[0])?, name(names[1])?);
                self.push(global)
            }
            b'R' | 0x81 => self.last(2).and_then(|made| self.make(made[0], made[1])),
            0x92 => self.last(3).and_then(|made| self.make(made[0], made[1])),
            b'i' => {
                let (module, name) = (self.line()?, self.line()?);
                let entries = self.above_mark()?;
                let (by, of) = (self.keep(Node::Global(module, name)), self.keep(Node::Tuple(entries)));
                self.make(by, of)
            }
            b'o' => {
                let entries = self.above_mark()?;
                let (by, of) = entries.split_first().ok_or("an object without a class")?;
                let of = self.keep(Node::Tuple(of.to_vec()));
                self.make(*by, of)
            }
            b'b' => {
                let given = self.pop()?;
                let top = self.top()?;
                if let Some(Node::Made { state, .. }) = self.nodes.get_mut(top) {
                    *state = Some(given);
                }
                Ok(())
            }
            b'P' => {
                let id = self.line()?;
                let id = self.keep(Node::Text(id));
                self.push(Node::Persistent(id))
            }
            b'Q' => self.pop().and_then(|id| self.push(Node::Persistent(id))),
            b'p' => self.place().and_then(|place| self.put(place)),
            b'q' => self.array::<1>().and_then(|[place]| self.put(place.into())),
            b'r' => self.array().map(u32::from_le_bytes).and_then(|place| self.put(place.into())),
            0x94 => self.put(self.memo.len() as u64),
            b'g' => self.place().and_then(|place| self.recall(place)),
            b'h' => self.array::<1>().and_then(|[place]| self.recall(place.into())),
            b'j' => self.array().map(u32::from_le_bytes).and_then(|place| self.recall(place.into())),
            _ => Err(format!("no pickle has the instruction {code:#04x}")),
        }
    }

    fn take(&mut self, count: u64) -> Result<&'a [u8]> {
        let split = usize::try_from(count).ok().and_then(|count| self.rest.split_at_checked(count));
        let (taken, rest) = split.ok_or("it ends too early")?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.take(N as u64)?.try_into().map_err(|_| "it ends too early".to_string())
    }

    fn line(&mut self) -> Result<&'a str> {
        let end = self.rest.iter().position(|&byte| byte == b'\n').ok_or("it ends too early")?;
        let line = self.take(end as u64 + 1)?;
        std::str::from_utf8(line.trim_ascii_end()).map_err(|e| e.to_string())
    }

    fn decimal(&mut self) -> Result<()> {
        match self.line()? {
            "00" => self.push(Node::Bool(false)),
            "01" => self.push(Node::Bool(true)),
            line => {
                let value = line.trim_end_matches('L').parse().map_err(|_| format!("{line} is not an integer"))?;
                self.push(Node::Int(value))
            }
        }
    }

    /// A little-endian integer in two's complement.
    fn long(&mut self, count: usize) -> Result<()> {
        let bytes = self.take(count as u64)?;
        if bytes.len() > 16 {
            return self.push(Node::None);
        }
        let fill = if bytes.last().is_some_and(|&byte| byte > 127) { 0xff } else { 0 };
        let mut wide = [fill; 16];
        wide[..bytes.len()].copy_from_slice(bytes);
        self.push(Node::Int(i128::from_le_bytes(wide)))
    }

    fn bytes(&mut self, count: u64) -> Result<()> {
        let bytes = self.take(count)?;
        self.push(Node::Bytes(bytes))
    }

    fn text(&mut self, count: u64) -> Result<()> {
        let text = std::str::from_utf8(self.take(count)?).map_err(|e| e.to_string())?;
        self.push(Node::Text(text))
    }

    fn place(&mut self) -> Result<u64> {
        let line = self.line()?;
        line.parse().map_err(|_| format!("{line} is not a place"))
    }

    fn keep(&mut self, node: Node<'a>) -> Id {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn push(&mut self, node: Node<'a>) -> Result<()> {
        let id = self.keep(node);
        self.stack.push(id);
        Ok(())
    }

    fn make(&mut self, by: Id, of: Id) -> Result<()> {
        self.push(Node::Made { by, of, state: None, items: vec![] })
    }

    fn put(&mut self, place: u64) -> Result<()> {
        let top = self.top()?;
        self.memo.insert(place, top);
        Ok(())
    }

    fn recall(&mut self, place: u64) -> Result<()> {
        let id = *self.memo.get(&place).ok_or("it refers to what is not there")?;
        self.stack.push(id);
        Ok(())
    }

    fn top(&self) -> Result<Id> {
        self.stack.last().copied().ok_or_else(|| "nothing is there to work on".into())
    }

    /// The topmost value; those below a mark belong to somebody else.
    fn pop(&mut self) -> Result<Id> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let top = if self.stack.len() > floor { self.stack.pop() } else { None };
        top.ok_or_else(|| "nothing is there to work on".into())
    }

    fn last(&mut self, count: usize) -> Result<Vec<Id>> {
        let from = self.stack.len().checked_sub(count).filter(|from| *from >= self.marks.last().copied().unwrap_or(0));
        Ok(self.stack.split_off(from.ok_or("nothing is there to work on")?))
    }

    fn above_mark(&mut self) -> Result<Vec<Id>> {
        let mark = self.marks.pop().ok_or("there is no mark")?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn append(&mut self, entries: Vec<Id>) -> Result<()> {
        let top = self.top()?;
        match self.nodes.get_mut(top) {
            Some(Node::List(list)) => list.extend(entries),
            // Lists of a class of their own: nobody here asks for their entries.
            Some(Node::Made { .. }) => {}
            _ => return Err("something is put into what is not a list".into()),
        }
        Ok(())
    }

    fn set(&mut self, entries: &[Id]) -> Result<()> {
        let (top, new) = (self.top()?, pairs(entries)?);
        match self.nodes.get_mut(top) {
            Some(Node::Dict(pairs) | Node::Made { items: pairs, .. }) => pairs.extend(new),
            _ => return Err("something is put into what is not a dictionary".into()),
        }
        Ok(())
    }
}

fn pairs(entries: &[Id]) -> Result<Vec<(Id, Id)>> {
    if entries.len() % 2 == 1 {
        return Err("a key without a value".into());
    }
    Ok(entries.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
}
