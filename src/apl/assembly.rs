//! The assembly of one list from its names: what to ask next, and what the answers make of it.
//!
//! A message holds some eight thousand prefixes, so that a longer list is spread over many names.
//! PTR records lead from one to the next; whether they name all parts or only the further ones is
//! not published, so that both PTR and APL are asked of every name and all that they say is used.
//! A name with neither may have the prefixes as TXT. A list without any of the three may be one of
//! the old kind, single addresses under numbered names.

use core::mem;
use std::collections::{BTreeMap, HashSet, VecDeque};

use prefix::Items;

use crate::answer::{Answer, AnswerError, Rcode};
use crate::codec::Counts;
use crate::list::{List, ListError, ListErrorKind, MAX_ITEMS, MAX_NAMES, MAX_NUMBERED, Warning};
use crate::message::Reply;
use crate::name::ListName;
use crate::query::{QueryType, Question};

/// What an assembly has to know beside the name of the list.
#[derive(Clone, Debug)]
pub struct Options {
    /// Names that PTR records lead to are followed below this one only.
    pub suffix: ListName,
    /// Whether the list had APL records at an earlier time. Then single addresses are not taken
    /// instead: a server in trouble must not turn a list of networks into one of a few hosts.
    pub apl_before: bool,
}

/// Tells the questions of an assembly apart. It is not a DNS id, and never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u32);

/// A question to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// To be handed back with the answer.
    pub ticket: Ticket,
    /// The question.
    pub question: Question,
    /// Whether the query needs an OPT record.
    pub edns: bool,
}

/// The assembly of one list, all of it from one server.
///
/// The caller takes questions from [`next_question`](Self::next_question), any number of them
/// before the first answer, and hands in the answers in any order until the list is whole or has
/// failed. Whatever the answers are, at most `20 * MAX_NAMES` questions are asked: two readings,
/// five types, without and with OPT. Those of lost connections come on top.
#[derive(Debug)]
pub struct Assembly {
    list: ListName,
    options: Options,
    pass: Pass,
    /// Why the list is being read for the second time.
    first_failure: Option<ListError>,
    next_ticket: u32,
    /// A server that does not understand plain queries is asked with OPT from then on.
    edns: bool,
}

/// One reading of a list from its beginning.
#[derive(Debug, Default)]
struct Pass {
    nodes: Vec<Node>,
    seen: HashSet<ListName>,
    queue: VecDeque<Pending>,
    /// With each question, whether it was asked with an OPT record.
    outstanding: BTreeMap<Ticket, (Pending, bool)>,
    items: Items,
    counts: Counts,
    /// The lowest so far; none before the first record.
    ttl: Option<u32>,
    data_names: usize,
    apl: bool,
    other_form: Option<QueryType>,
    outside: Option<(usize, ListName)>,
}

/// A question of a node.
#[derive(Clone, Copy, Debug)]
struct Pending {
    node: usize,
    qtype: QueryType,
}

/// A name and what it still waits for.
#[derive(Debug)]
struct Node {
    name: ListName,
    stage: Stage,
}

/// What has been asked of a name, and for each question whether there were records.
#[derive(Debug)]
enum Stage {
    Named { ptr: Option<bool>, apl: Option<bool> },
    Text,
    Addresses { number: u8, foreign_text: bool, a: Option<bool>, aaaa: Option<bool> },
    Done,
}

impl Stage {
    fn addresses(number: u8, foreign_text: bool) -> Self {
        Self::Addresses { number, foreign_text, a: None, aaaa: None }
    }

    fn questions(&self) -> &'static [QueryType] {
        match self {
            Self::Named { .. } => &[QueryType::Ptr, QueryType::Apl],
            Self::Text => &[QueryType::Txt],
            Self::Addresses { .. } => &[QueryType::A, QueryType::Aaaa],
            Self::Done => &[],
        }
    }
}

impl Assembly {
    /// Begins with a list of which nothing is known.
    pub fn new(list: ListName, options: Options) -> Self {
        Self {
            pass: Pass::new(&list),
            list,
            options,
            first_failure: None,
            next_ticket: 0,
            edns: false,
        }
    }

    /// The list's name.
    pub fn name(&self) -> &ListName {
        &self.list
    }

    /// The next question to send, if there is one before more answers have come.
    pub fn next_question(&mut self) -> Option<Ask> {
        let pending = self.pass.queue.pop_front()?;
        let name = self.pass.nodes.get(pending.node)?.name.clone();
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.pass.outstanding.insert(ticket, (pending, self.edns));
        let question = Question { name, qtype: pending.qtype };
        Some(Ask { ticket, question, edns: self.edns })
    }

    /// Takes back all questions that wait for an answer, since the connection is gone that they
    /// were sent over; they will be asked again.
    pub fn connection_lost(&mut self) {
        for (_, (pending, _)) in mem::take(&mut self.pass.outstanding).into_iter().rev() {
            self.pass.queue.push_front(pending);
        }
    }

    /// Takes in the answer to a question; says when the list is whole or has failed.
    ///
    /// A ticket that waits for nothing is ignored: its question no longer matters.
    pub fn answer(&mut self, ticket: Ticket, reply: &Reply<'_>) -> Option<Result<List, ListError>> {
        let (pending, edns) = self.pass.outstanding.remove(&ticket)?;
        let name = self.pass.nodes.get(pending.node)?.name.clone();
        let question = Question { name, qtype: pending.qtype };
        let noted = match reply.read(&question, &mut self.pass.items) {
            Ok(answer) => self.pass.note(pending, answer, &self.options),
            Err(AnswerError::Rcode(Rcode::FormErr)) if !edns => {
                self.edns = true;
                self.pass.queue.push_front(pending);
                Ok(())
            }
            Err(AnswerError::Rcode(Rcode::NxDomain)) if self.pass.is_numbered(pending) => {
                self.pass.note(pending, Answer::default(), &self.options)
            }
            Err(error) => Err(ListErrorKind::Answer(pending.qtype, error)),
        };
        match noted {
            Err(kind) => self.fail(question.name, kind),
            Ok(()) if self.pass.is_complete() => Some(self.finish()),
            Ok(()) => None,
        }
    }

    /// A failed part may mean that the list has been rebuilt meanwhile, so it is read once more.
    fn fail(&mut self, name: ListName, kind: ListErrorKind) -> Option<Result<List, ListError>> {
        let part = (name != self.list).then(|| name.to_string());
        let again = part.is_some() && !kind.is_bound() && self.first_failure.is_none();
        let error = ListError { list: self.list.to_string(), part, kind };
        if again {
            self.first_failure = Some(error);
            self.pass = Pass::new(&self.list);
            return None;
        }
        self.pass = Pass::default();
        Some(Err(error))
    }

    fn finish(&mut self) -> Result<List, ListError> {
        let pass = mem::take(&mut self.pass);
        let error = |kind| Err(ListError { list: self.list.to_string(), part: None, kind });
        let Counts { unknown_family, host_bits, .. } = pass.counts;
        let outside_suffix = pass.outside.as_ref().map_or(0, |(count, _)| *count);
        if pass.items.is_empty() && unknown_family + outside_suffix > 0 {
            return error(ListErrorKind::NothingUsable { unknown_family, outside_suffix });
        }
        if pass.data_names == 0 {
            return error(ListErrorKind::NoData);
        }
        let warnings = [
            pass.outside.map(|(count, example)| Warning::OutsideSuffix { count, example }),
            (unknown_family > 0).then_some(Warning::UnknownFamily { count: unknown_family }),
            (host_bits > 0).then_some(Warning::HostBits { count: host_bits }),
            pass.other_form.map(|qtype| Warning::OtherForm { qtype }),
            self.first_failure.take().map(|why| Warning::ReadTwice { why }),
        ];
        Ok(List {
            name: self.list.clone(),
            items: pass.items,
            names: pass.nodes.len(),
            data_names: pass.data_names,
            apl: pass.apl,
            ttl: pass.ttl.unwrap_or(0),
            counts: pass.counts,
            warnings: warnings.into_iter().flatten().collect(),
        })
    }
}

impl Pass {
    fn new(list: &ListName) -> Self {
        let mut pass = Self::default();
        pass.seen.insert(list.clone());
        // The first of the names cannot be one too many.
        let _ = pass.add(list.clone(), Stage::Named { ptr: None, apl: None });
        pass
    }

    fn is_complete(&self) -> bool {
        self.queue.is_empty() && self.outstanding.is_empty()
    }

    /// Adds a name and asks the questions of its first stage.
    fn add(&mut self, name: ListName, stage: Stage) -> Result<(), ListErrorKind> {
        if self.nodes.len() == MAX_NAMES {
            return Err(ListErrorKind::TooManyNames);
        }
        let node = self.nodes.len();
        self.nodes.push(Node { name, stage: Stage::Done });
        self.enter(node, stage);
        Ok(())
    }

    fn enter(&mut self, node: usize, stage: Stage) {
        self.queue.extend(stage.questions().iter().map(|&qtype| Pending { node, qtype }));
        if let Some(node) = self.nodes.get_mut(node) {
            node.stage = stage;
        }
    }

    /// Takes in what an answer said; its items are in already.
    fn note(
        &mut self,
        pending: Pending,
        answer: Answer,
        options: &Options,
    ) -> Result<(), ListErrorKind> {
        let Pending { node: index, qtype } = pending;
        self.counts.add(answer.counts);
        if self.items.len() > MAX_ITEMS {
            return Err(ListErrorKind::TooManyItems);
        }
        let found = answer.records > 0 && !answer.foreign_text;
        if found {
            self.ttl = Some(self.ttl.map_or(answer.ttl, |ttl| ttl.min(answer.ttl)));
        }
        let Some(node) = self.nodes.get_mut(index) else { return Ok(()) };
        match (&mut node.stage, qtype) {
            (Stage::Named { ptr, .. }, QueryType::Ptr) => *ptr = Some(found),
            (Stage::Named { apl, .. }, QueryType::Apl) => *apl = Some(found),
            (Stage::Addresses { a, .. }, QueryType::A) => *a = Some(found),
            (Stage::Addresses { aaaa, .. }, QueryType::Aaaa) => *aaaa = Some(found),
            _ => {}
        }
        match node.stage {
            Stage::Named { ptr: Some(false), apl: Some(false) } => self.enter(index, Stage::Text),
            Stage::Named { ptr: Some(_), apl: Some(apl) } => {
                node.stage = Stage::Done;
                self.apl |= apl;
                self.data_names += usize::from(apl);
            }
            Stage::Text if found => {
                node.stage = Stage::Done;
                self.data_names += 1;
                self.other_form = Some(qtype);
            }
            Stage::Text => self.without_text(index, answer.foreign_text, options)?,
            Stage::Addresses { number, foreign_text, a: Some(a), aaaa: Some(aaaa) } => {
                node.stage = Stage::Done;
                if a || aaaa {
                    self.data_names += 1;
                    self.other_form = Some(QueryType::A);
                    self.next_number(number)?;
                } else if number == 0 {
                    return Err(no_data(foreign_text));
                }
            }
            Stage::Named { .. } | Stage::Addresses { .. } | Stage::Done => {}
        }
        self.follow(answer.targets, options)
    }

    /// Neither APL nor PTR nor TXT. Only the list's own name may have single addresses: of a part
    /// that has them nobody could say whether its numbered names belong to the list.
    fn without_text(
        &mut self,
        node: usize,
        foreign_text: bool,
        options: &Options,
    ) -> Result<(), ListErrorKind> {
        if node != 0 {
            return Err(no_data(foreign_text));
        }
        if options.apl_before {
            return Err(ListErrorKind::Downgrade);
        }
        self.enter(node, Stage::addresses(0, foreign_text));
        Ok(())
    }

    fn next_number(&mut self, number: u8) -> Result<(), ListErrorKind> {
        if number > MAX_NUMBERED {
            return Err(ListErrorKind::TooManyNumbered);
        }
        let next = number + 1;
        match self.nodes.first().and_then(|list| list.name.numbered(next)) {
            Some(name) => self.add(name, Stage::addresses(next, false)),
            None => Ok(()),
        }
    }

    /// Adds the names that PTR records lead to and that are new. A list may be one long chain; that
    /// none is added twice, and no more than [`MAX_NAMES`], ends all loops.
    fn follow(&mut self, targets: Vec<ListName>, options: &Options) -> Result<(), ListErrorKind> {
        for name in targets {
            if !name.is_below(&options.suffix) {
                self.outside.get_or_insert((0, name)).0 += 1;
            } else if self.seen.insert(name.clone()) {
                self.add(name, Stage::Named { ptr: None, apl: None })?;
            }
        }
        Ok(())
    }

    /// Whether the question is of a name that may well not exist, since numbers end somewhere.
    fn is_numbered(&self, pending: Pending) -> bool {
        let node = self.nodes.get(pending.node);
        node.is_some_and(|node| matches!(node.stage, Stage::Addresses { number: 1.., .. }))
    }
}

fn no_data(foreign_text: bool) -> ListErrorKind {
    if foreign_text { ListErrorKind::ForeignText } else { ListErrorKind::NoData }
}

#[cfg(test)]
mod tests;
