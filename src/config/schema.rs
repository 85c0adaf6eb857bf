//! The keys of the file: the one place where names, types, defaults, bounds and meanings stand.

use core::net::IpAddr;
use core::time::Duration;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use prefix::Prefix;

use crate::feed::{Credential, FeedFormat, FeedName};
use crate::key::Key;
use crate::names::{AnchorPath, DeviceId, DomainName, FieldName, ListName, TableName, UserName};
use crate::net::{Proxy, Server, WebUrl};
use crate::section::{Section, section};
use crate::template::Template;
use crate::unit::Size;
use crate::word::words;

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;
const MIB: u64 = 1 << 20;

section! {
    /// The whole configuration.
    Config "" {
        /// The id of this device at the service, for its lists and the upload.
        device_id: Option<DeviceId> = "";
        /// The user that the engine becomes.
        user: UserName = "_threatstop";
        |
        /// Where the policy comes from.
        policy: Policy;
        /// Lists from web servers.
        feed: Vec<Feed> = 64;
        /// Lists with a table of their own.
        table: Vec<Table> = 14;
        /// Where the rest goes.
        tables: Tables;
        /// What is not taken over.
        guard: Guard;
        /// The packet log and its upload.
        log: Log;
        /// How web servers are reached.
        https: Https;
    }
}

section! {
    /// Section `[policy]`: where the policy comes from.
    Policy "policy" {
        /// The servers, in the order they are tried; without a port 53, then 5353.
        servers: Vec<Server> = ["192.124.129.42"] [1, 16];
        /// The lists of what to block.
        block: Vec<DomainName> = ["basic.threatstop.local"] [0, 64];
        /// The lists of what never to block.
        allow: Vec<DomainName> = ["dns.threatstop.local"] [0, 64];
        /// The domain of the service; names found by PTR outside it are ignored.
        suffix: DomainName = "threatstop.local";
        /// The time between updates, plus or minus 10 % at random.
        interval: Duration = "1h" [MINUTE, 7 * DAY];
        /// How long to wait for one answer.
        timeout: Duration = "60s" [1, 10 * MINUTE];
        /// Whether lists are unchanged while the serial of suffix is.
        serial: bool = false;
        /// A file of prefixes to block besides, one a line, # begins a comment.
        local_block: Option<PathBuf> = "";
        /// A file of prefixes never to block.
        local_allow: Option<PathBuf> = "";
    }
}

section! {
    /// A section `[[feed]]`: a list from a web server.
    Feed "feed" many {
        /// The name of the list, everywhere.
        name: FeedName = "" or "feed";
        /// Where the list is.
        url: WebUrl = "" or "https://feed.invalid/";
        /// "block", or "allow": taken out of the block tables, and never put into tables.allow.
        kind: FeedKind = "block";
        /// "lines", "csv:COLUMN", "json:POINTER" or "jsonl:POINTER".
        format: FeedFormat = "lines";
        /// The time between two looks, plus or minus 10 % at random.
        interval: Duration = "12h" [15 * MINUTE, 30 * DAY];
        /// The most prefixes that the list may have.
        max_entries: u32 = 200000 [1, 20_000_000];
        /// Addresses of IPv4 that it may cover, and 1,024 /32 of IPv6 for each 134217728.
        max_coverage: u64 = 134217728 [1, 1 << 32];
        /// The value of the header Authorization; a credential.
        authorization: Option<Credential> = "";
        /// For how long it may go unconfirmed before that is a warning.
        stale: Duration = "3d" [MINUTE, 365 * DAY];
    }
}

section! {
    /// Section `[[table]]`: lists that go into a table of their own, and not into that of `[tables]`.
    Table "table" many {
        /// The table; it has to be set.
        name: TableName = "" or "x";
        /// Lists of what to block, which go here; a list may go into several.
        lists: Vec<ListName> = [] [0, 129];
        /// Which way what is blocked goes: what rules setup prints and doctor looks for.
        direction: Direction = "both";
    }
}

section! {
    /// Section `[tables]`: where the policy goes.
    Tables "tables" {
        /// The directory of the table files NAME.pftable.
        directory: PathBuf = "/var/db/threatstop";
        /// The table of what to block.
        block: TableName = "ThreatSTOP-Block";
        /// The table of what to allow.
        allow: TableName = "ThreatSTOP-Allow";
        /// The anchor that holds the tables; "" is the main ruleset.
        anchor: Option<AnchorPath> = "";
        /// false: write the files and leave pf alone.
        reload: bool = true;
        /// "simulated": for trying out, the only one that works elsewhere than on OpenBSD.
        backend: Backend = "pf";
        /// The limit table-entries of the simulated kernel.
        simulated_limit: u32 = 200000 [1, 20_000_000];
        /// How often to look whether somebody changed a table, and mend it.
        check_interval: Duration = "5m" [1, DAY];
        /// true: setup prints match log in place of block, and nothing is blocked.
        monitor: bool = false;
        /// true: states of what becomes blocked end at once.
        kill_states: bool = false;
    }
}

section! {
    /// Section `[guard]`: what is not taken over, whatever the lists say.
    Guard "guard" {
        /// Prefixes never to block.
        never_block: Vec<Prefix> = [] [0, 1024];
        /// true: let RFC 1918, 6598 and 4193 through to the table.
        block_private: bool = false;
        /// The shortest prefix length of IPv4; wider ones are refused.
        min_prefix_v4: u8 = 8 [1, 32];
        /// The shortest prefix length of IPv6.
        min_prefix_v6: u8 = 19 [1, 128];
        /// The most prefixes that a table may have.
        max_entries: u32 = 1000000 [1, 20_000_000];
        /// The percentage of IPv4 that a block table may cover.
        max_coverage: u8 = 20 [1, 100];
        /// The /32 networks of IPv6 that a block table may cover.
        max_coverage_v6: u32 = 8192 [1, 1 << 29];
        /// The addresses of IPv4, and as many /64 of IPv6, that the allow table may cover.
        allow_max_coverage: u64 = 16777216 [1, 1 << 32];
        /// By how many percent a table may shrink in one update.
        max_shrink: u8 = 50 [1, 100];
        /// By how many percent a table may grow in one update.
        max_growth: u32 = 400 [1, 100_000];
        /// Names of hosts whose addresses are never blocked, eight of each; looked up every 15m.
        never_block_names: Vec<DomainName> = [] [0, 64];
        /// Addresses that the block table must cover; a set without them is refused.
        expect: Vec<IpAddr> = [] [0, 64];
    }
}

section! {
    /// Section `[log]`: the packet log and its upload.
    Log "log" {
        /// false: follow and send nothing.
        enabled: bool = true;
        /// The packet log; FILE.0 to FILE.9, plain or .gz, are looked at after rotations.
        file: PathBuf = "/var/log/pflog";
        /// "tables": what hit our tables; "all": every record.
        scope: Scope = "tables";
        /// Rules in this anchor count as ours too.
        anchor: Option<AnchorPath> = "";
        /// Where the log is sent.
        url: WebUrl = "https://logs.threatstop.com/cgi-bin/logupload.pl";
        /// The time between uploads.
        interval: Duration = "15m" [MINUTE, DAY];
        /// The time on each line: as of tcpdump's default, -ttt or -tt.
        timestamp: Timestamp = "time";
        /// The engine's own directory, where the log waits for its upload.
        spool: PathBuf = "/var/threatstop";
        /// The most that the spool may hold; the oldest falls out.
        spool_size: Size = "64M" [MIB, 16 * 1024 * MIB];
        /// The age of the records from which on they fall out: the service keeps 35 days.
        spool_age: Duration = "35d" [DAY, 36_500 * DAY];
        |
        /// The layout of the upload.
        request: Request;
    }
}

section! {
    /// Section `[log.request]`: the layout of the upload. The service's own is not published.
    Request "log.request" {
        /// "multipart": a form with the log as a file; "raw": the log and nothing else.
        method: Method = "multipart";
        /// The field of the device id; "" sends none.
        device_field: Option<FieldName> = "tdid";
        /// The field of the log.
        file_field: FieldName = "file";
        /// The file name given to the log.
        file_name: Template = "{device_id}.{time}.txt";
        /// Further fields.
        fields: BTreeMap<FieldName, Template> = {} [0, 64];
        /// true: compress the log.
        gzip: bool = false;
        /// What the answer must contain; anything else is a failure.
        success: Template = "uploaded successfully for {device_id}";
    }
}

section! {
    /// Section `[https]`: how web servers are reached.
    Https "https" {
        /// The HTTP proxy, with user and password if it wants them; a credential.
        proxy: Option<Proxy> = "";
        /// The certificates to trust, in PEM.
        ca_file: PathBuf = "/etc/ssl/cert.pem";
        /// The most that all copies of feeds may take.
        store: Size = "256M" [MIB, 64 * 1024 * MIB];
    }
}

words! {
    /// What a feed is for.
    FeedKind {
        /// To be blocked.
        Block = "block",
        /// Never to be blocked.
        Allow = "allow",
    }
}

words! {
    /// Which packets a block table is for.
    Direction {
        /// Those that come from what is in it.
        In = "in",
        /// Those that go there.
        Out = "out",
        /// Both.
        Both = "both",
    }
}

words! {
    /// Who keeps the tables.
    Backend {
        /// The kernel, by way of /dev/pf.
        Pf = "pf",
        /// Files that obey the kernel's rules.
        Simulated = "simulated",
    }
}

words! {
    /// Which records of the packet log are ours.
    Scope {
        /// Those whose address is in our tables, or whose rule is in our anchor.
        Tables = "tables",
        /// Every record.
        All = "all",
    }
}

words! {
    /// The time on each line, in the forms of tcpdump(8).
    Timestamp {
        /// The time of day.
        Time = "time",
        /// Month, day and time, as with -ttt.
        Date = "date",
        /// Seconds since 1970, as with -tt.
        Epoch = "epoch",
    }
}

words! {
    /// The layout of the body of an upload.
    Method {
        /// multipart/form-data (RFC 7578).
        Multipart = "multipart",
        /// The log itself.
        Raw = "raw",
    }
}

static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
    let mut all = Vec::new();
    <Config as Section>::keys(&mut all);
    all
});

/// The table of all keys, in the order of the sample and of [`Config::to_toml`].
pub fn keys() -> &'static [Key] {
    &KEYS
}
