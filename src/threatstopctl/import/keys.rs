//! The keys of the old file.

/// A key of the old file, as far as it means something here.
#[derive(Clone, Copy)]
pub enum Old {
    /// The device id.
    DeviceId,
    /// Words separated by blanks.
    List(Place),
    /// Any text.
    Text(Place),
    /// `YES` or `NO`.
    Switch(Place),
    /// Where the table files were.
    Directory,
    /// The log of pflogd(8), live or rotated.
    PacketLog,
    /// The name of a table file.
    TableFile,
    /// Where the text of the log was put before it was sent.
    TextFile,
}

/// Section and key of the new file.
pub type Place = (&'static str, &'static str);

/// Where the device id goes.
pub const DEVICE_ID: Place = ("", "device_id");
/// Where the directory of the table files goes.
pub const DIRECTORY: Place = ("tables", "directory");
/// Where the packet log goes.
pub const PACKET_LOG: Place = ("log", "file");

impl Old {
    /// The key of this name, if it means something. Case, underscores and the vendor's name make no
    /// difference: samples of several years differ in these.
    pub fn of(key: &str) -> Option<Self> {
        let name = key.to_ascii_lowercase().replace('_', "");
        let name = name.strip_prefix("threatstop").or(name.strip_prefix("ts")).unwrap_or(&name);
        Some(match name {
            "deviceid" | "device" | "tdid" => Self::DeviceId,
            "dns" | "dnsip" | "dnsserver" | "dnsservers" | "nameserver" | "nameservers"
            | "server" | "servers" => Self::List(("policy", "servers")),
            "block" | "blocklist" | "blocklists" | "blockpolicy" => Self::List(("policy", "block")),
            "allow" | "allowlist" | "allowlists" | "allowpolicy" | "whitelist" => {
                Self::List(("policy", "allow"))
            }
            "blocktable" => Self::Text(("tables", "block")),
            "allowtable" => Self::Text(("tables", "allow")),
            "reload" | "reloadpf" => Self::Switch(("tables", "reload")),
            "url" | "logurl" | "uploadurl" => Self::Text(("log", "url")),
            "proxy" | "httpproxy" | "httpsproxy" => Self::Text(("https", "proxy")),
            "outdir" | "outputdir" => Self::Directory,
            "pflog" | "pflogfile" => Self::PacketLog,
            "blockfile" | "allowfile" => Self::TableFile,
            "logfile" => Self::TextFile,
            _ => return None,
        })
    }
}
