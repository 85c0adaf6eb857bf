//! TCP: RFC 9293; options by their numbers in IANA's registry.

use super::*;

const HEADER: usize = 20;
const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const PUSH: u8 = 0x08;
const ACK: u8 = 0x10;
const URG: u8 = 0x20;
const ECE: u8 = 0x40;
const CWR: u8 = 0x80;
const BGP: u16 = 179;

pub(super) fn print(line: &mut Line<'_>, data: &[u8], length: u32, outer: Outer<'_>) {
    if length < HEADER as u32 {
        line.put("truncated-tcp ").dec(length);
        return;
    }
    if !data.has(4) {
        outer.pair(line).put(": [|tcp]");
        return;
    }
    let ports = (data.be16(0), data.be16(2));
    match outer {
        // Behind an extension header the addresses have been printed already.
        Outer::V6(header) if header.octet(6) != 6 => {
            line.dec(ports.0.into()).put(" > ").dec(ports.1.into()).put(": ");
        }
        _ => {
            outer.pair_with_ports(line, ports);
        }
    }
    let Some(header) = data.first_chunk::<HEADER>() else {
        if data.has(8) && !data.has(12) {
            line.dec(data.be32(4)).ch(b' ');
        }
        line.put("[|tcp]");
        return;
    };
    let flags = header.octet(13);
    let (letters, count) = &LETTERS[usize::from(flags)];
    line.begin(letters, usize::from(*count));
    let (mut seq, mut ack, mut sack) = (header.be32(4), header.be32(8), None);
    if flags & ACK != 0 {
        let numbers = line.connections.relative(outer, ports, flags & SYN != 0, (seq, ack));
        (seq, ack, sack) = (numbers.seq, numbers.ack, Some(numbers.sack_base));
    }
    let hlen = u32::from(header.octet(12) >> 4) * 4;
    if hlen > length {
        line.put(" [bad hdr length]");
        return;
    }
    let payload = length - hlen;
    let whole = line.apart(|text| {
        if payload > 0 || flags & (SYN | FIN | RST) != 0 {
            text.ch(b' ').dec_range(seq, seq.wrapping_add(payload));
            text.ch(b'(').dec(payload).ch(b')');
        }
        if flags & ACK != 0 {
            text.put(" ack ").dec(ack);
        }
        text.put(" win ").dec(header.be16(14).into());
        if flags & URG != 0 {
            text.put(" urg ").dec(header.be16(18).into());
        }
        if hlen > HEADER as u32 {
            let mut options = Options { data, at: HEADER, left: hlen as usize - HEADER, sack };
            text.ch(b' ');
            let ended = options.print(text);
            text.put(match ended {
                Ok(()) => ">",
                Err(End::Bad) => "[bad opt]>",
                Err(End::Truncated) => "[|tcp]>",
            });
            return ended.is_ok();
        }
        true
    });
    if !whole {
        return;
    }
    if payload > 0 && flags & RST == 0 && (ports.0 == BGP || ports.1 == BGP) {
        bgp::print(line, data.after(hlen as usize), payload);
    }
}

/// The letters of the flags, a dot when there is none, and how many there are.
const LETTERS: [([u8; 6], u8); 256] = {
    const FLAGS: [(u8, u8); 6] =
        [(SYN, b'S'), (FIN, b'F'), (RST, b'R'), (PUSH, b'P'), (CWR, b'W'), (ECE, b'E')];
    let mut letters = [([b'.'; 6], 1); 256];
    let mut flags = 0;
    while flags < 256 {
        let (mut n, mut count) = (0, 0);
        while n < FLAGS.len() {
            if flags & FLAGS[n].0 as usize != 0 {
                letters[flags].0[count] = FLAGS[n].1;
                count += 1;
            }
            n += 1;
        }
        if count > 0 {
            letters[flags].1 = count as u8;
        }
        flags += 1;
    }
    letters
};

/// Why the list of options ends early.
enum End {
    Bad,
    Truncated,
}

struct Options<'d> {
    data: &'d [u8],
    at: usize,
    /// Octets of the header that have not been dealt with.
    left: usize,
    /// What SACK blocks are relative to; none without ACK.
    sack: Option<u32>,
}

impl Options<'_> {
    /// Prints them all; a part of its one caller, as [`Options::option`] is, see [`Text::apart`].
    #[inline(always)]
    fn print(&mut self, line: &mut Text<'_>) -> Result<(), End> {
        let mut separator = b'<';
        while self.left > 0 {
            line.ch(separator);
            separator = b',';
            let before = self.left;
            let kind = self.next()?;
            match kind {
                0 => {
                    line.put("eol");
                    break;
                }
                1 => {
                    line.put("nop");
                    continue;
                }
                _ => (),
            }
            let len = usize::from(self.next()?);
            if len < 2 || len > before {
                return Err(End::Bad);
            }
            let used = self.option(line, kind, len)?;
            self.at += used;
            self.left = self.left.saturating_sub(used);
            if used + 2 != len {
                line.put("[len ").dec(len as u32).ch(b']');
            }
        }
        Ok(())
    }

    /// The octet of a kind or of a length.
    fn next(&mut self) -> Result<u8, End> {
        let octet = *self.data.get(self.at).ok_or(End::Truncated)?;
        self.at += 1;
        self.left = self.left.saturating_sub(1);
        Ok(octet)
    }

    /// Are `count` octets of the option in the header, and captured?
    fn need(&self, count: usize) -> Result<(), End> {
        if count > self.left {
            Err(End::Bad)
        } else if !self.data.has(self.at + count) {
            Err(End::Truncated)
        } else {
            Ok(())
        }
    }

    /// Prints one option and returns how many octets follow its kind and length; a part of
    /// [`Options::print`].
    #[inline(always)]
    fn option(&self, line: &mut Text<'_>, kind: u8, len: usize) -> Result<usize, End> {
        match kind {
            2 => {
                line.put("mss");
                self.need(2)?;
                line.ch(b' ').dec(self.data.be16(self.at).into());
                Ok(2)
            }
            3 => {
                line.put("wscale");
                self.need(1)?;
                line.ch(b' ').dec(self.data.octet(self.at).into());
                Ok(1)
            }
            4 => {
                line.put("sackOK");
                if len != 2 {
                    line.put("[len ").dec(len as u32).ch(b']');
                }
                Ok(0)
            }
            8 => {
                line.put("timestamp");
                self.need(4)?;
                line.ch(b' ').dec(self.data.be32(self.at));
                self.need(8)?;
                line.ch(b' ').dec(self.data.be32(self.at + 4));
                Ok(8)
            }
            _ => line.apart(|text| self.rare(text, kind, len)),
        }
    }

    /// Prints an option that few packets have, as the others.
    fn rare(&self, line: &mut Text<'_>, kind: u8, len: usize) -> Result<usize, End> {
        match kind {
            5 => self.sack(line, len - 2),
            6 => self.word(line, "echo"),
            7 => self.word(line, "echoreply"),
            11 => self.word(line, "cc"),
            12 => self.word(line, "ccnew"),
            13 => self.word(line, "ccecho"),
            _ => {
                if kind == 19 {
                    line.put("tcpmd5:");
                } else {
                    line.put("opt-").dec(kind.into()).ch(b':');
                }
                for n in 0..len - 2 {
                    self.need(n + 1)?;
                    line.hex(self.data.octet(self.at + n).into(), 2);
                }
                Ok(len - 2)
            }
        }
    }

    /// An option of 32 bits.
    fn word(&self, line: &mut Text<'_>, name: &str) -> Result<usize, End> {
        line.put(name);
        self.need(4)?;
        line.ch(b' ').dec(self.data.be32(self.at));
        Ok(4)
    }

    /// Selective acknowledgements, RFC 2018: pairs of sequence numbers.
    fn sack(&self, line: &mut Text<'_>, size: usize) -> Result<usize, End> {
        const BLOCK: usize = 8;
        let base = match self.sack {
            Some(base) if size.is_multiple_of(BLOCK) => u64::from(base),
            _ => {
                line.put("malformed sack [len ").dec(size as u32).put("] ");
                return Ok(size);
            }
        };
        line.put("sack ").dec((size / BLOCK) as u32).ch(b' ');
        for n in (0..size).step_by(BLOCK) {
            self.need(n + BLOCK)?;
            // In 64 bits, as tcpdump counts: an edge below the base is a huge number.
            let edge = |at| u64::from(self.data.be32(at)).wrapping_sub(base);
            line.ch(b'{').dec64(edge(self.at + n)).ch(b':').dec64(edge(self.at + n + 4));
            line.put("} ");
        }
        Ok(size)
    }
}
