//! nginx with TLS before a handler of ours.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::write;
use crate::sim::logservice::pem_files;

/// Files for a server with TLS: `cert.pem`, `key.pem`, both in one as haproxy wants them, and `ca.pem`.
pub fn write_certificates(dir: &Path) {
    let (certificate, key, ca) = pem_files();
    let both = format!("{certificate}{key}");
    for (name, text) in
        [("cert.pem", certificate), ("key.pem", key), ("both.pem", both), ("ca.pem", ca)]
    {
        write(&dir.join(name), &text);
    }
}

/// nginx in a directory, with the certificates of another or the same one, at an address; what it
/// gets goes to the handler. It takes bodies of at most 512 KiB.
pub fn nginx(
    program: &Path,
    certificates: &Path,
    dir: &Path,
    addr: SocketAddr,
    handler: SocketAddr,
) -> Command {
    let (at, pem) = (dir.display(), certificates.display());
    let config = format!(
        "daemon off; master_process off; pid {at}/pid; error_log stderr;\n\
         events {{ }}\n\
         http {{\n\
         access_log off; client_max_body_size 512k; client_body_temp_path {at}/body;\n\
         proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/fastcgi;\n\
         uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;\n\
         server {{ listen {addr} ssl; ssl_certificate {pem}/cert.pem;\n\
         ssl_certificate_key {pem}/key.pem;\n\
         location / {{ proxy_pass http://{handler}; }} }}\n\
         }}\n"
    );
    let file = dir.join("nginx.conf");
    write(&file, &config);
    let mut command = Command::new(program);
    command.arg("-p").arg(dir).arg("-c").arg(&file).arg("-e").arg("stderr");
    command
}
