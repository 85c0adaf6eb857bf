//! Whether a server's zone is another one than before: one question in place of all.

use apl::{
    AnswerError, ListError, ListErrorKind, ListName, QueryType, Question, Rcode, Reply, is_after,
};
use prefix::Items;
use tokio::time::Instant;

use super::Limits;
use super::connection::Connection;
use super::error::AttemptError;

/// What is known of the zone from before.
#[derive(Clone, Debug, Default)]
pub struct Before {
    /// The highest serial of the lists in force; none when there was none yet.
    pub serial: Option<u32>,
    /// The server, as it is configured, whose lists are in force as long as it has that serial.
    pub server: Option<String>,
    /// Whether a serial that went back is taken.
    pub may_go_back: bool,
}

impl Before {
    /// Whether the lists of a server with this serial are those in force.
    ///
    /// # Errors
    /// When the serial went back.
    pub(super) fn is_same(
        &self,
        server: &str,
        zone: &ListName,
        serial: u32,
    ) -> Result<bool, AttemptError> {
        match self.serial {
            Some(before) if serial == before => Ok(self.server.as_deref() == Some(server)),
            // what is half of the circle away is after nothing and before nothing: not newer, at least
            Some(before) if !is_after(serial, before) && !self.may_go_back => {
                Err(AttemptError::SerialBack { zone: zone.to_string(), before, now: serial })
            }
            _ => Ok(false),
        }
    }
}

/// Asks for the serial of a zone; none when the server has no zone of just this name.
///
/// # Errors
/// When there is no answer, or a bad one.
pub(super) async fn serial(
    connection: &mut Connection,
    zone: &ListName,
    limits: Limits,
) -> Result<Option<u32>, AttemptError> {
    let question = Question { name: zone.clone(), qtype: QueryType::Soa };
    let mut edns = false;
    loop {
        let id = rand::random();
        connection.send(question.to_message(id, edns))?;
        let message = connection.receive(Instant::now() + limits.answer).await?;
        let reply = Reply::parse(&message).map_err(AttemptError::Answer)?;
        if reply.id() != id {
            return Err(AttemptError::Unasked);
        }
        return match reply.read(&question, &mut Items::default()) {
            Ok(answer) => Ok(answer.serial),
            // the names of the lists may be there even so
            Err(AnswerError::Rcode(Rcode::NxDomain)) => Ok(None),
            Err(AnswerError::Rcode(Rcode::FormErr)) if !edns => {
                edns = true;
                continue;
            }
            Err(error) => {
                let kind = ListErrorKind::Answer(QueryType::Soa, error);
                Err(AttemptError::List(ListError { list: zone.to_string(), part: None, kind }))
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_those_in_force_by_server_and_serial_alone() {
        let zone = ListName::parse("fleet.example").unwrap();
        let before = Before { serial: Some(7), server: Some("a".into()), may_go_back: false };
        assert!(before.is_same("a", &zone, 7).unwrap());
        assert!(!before.is_same("b", &zone, 7).unwrap(), "of another server nothing is known");
        assert!(!before.is_same("a", &zone, 8).unwrap());
        for back in [6, 7 + (1 << 31)] {
            let why = before.is_same("a", &zone, back).unwrap_err().to_string();
            assert!(
                why.starts_with(&format!("the serial of fleet.example went back from 7 to {back}"))
            );
            assert!(why.contains("threatstopctl update -f policy"), "{why}");
        }
        let forced = Before { may_go_back: true, ..before };
        assert!(!forced.is_same("a", &zone, 6).unwrap());
        // over the end of 32 bits it goes on
        let last = Before { serial: Some(u32::MAX), ..Before::default() };
        assert!(!last.is_same("a", &zone, 1).unwrap());
        assert!(!Before::default().is_same("a", &zone, 0).unwrap());
    }
}
