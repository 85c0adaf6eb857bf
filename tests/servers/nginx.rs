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

/// nginx in a directory, with certificates there and the lists of its folder `lists`: those below
/// `basic` for fred with the password `pass_word`, those below `bearer` for `Bearer abc.def`. What it
/// has answered is in `access`: number of the connection, path, status and coding.
pub fn nginx_of_lists(program: &Path, dir: &Path, addr: SocketAddr) -> Command {
    write_certificates(dir);
    write(&dir.join("users"), "fred:{PLAIN}pass_word\n");
    let at = dir.display();
    let config = format!(
        "daemon off; master_process off; pid {at}/pid; error_log stderr;\n\
         events {{ }}\n\
         http {{\n\
         log_format said '$connection $uri $status $sent_http_content_encoding'; access_log {at}/access said;\n\
         client_body_temp_path {at}/body; proxy_temp_path {at}/proxy;\n\
         fastcgi_temp_path {at}/fastcgi; uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;\n\
         default_type text/plain; gzip on; gzip_types text/plain; gzip_min_length 1;\n\
         server {{ listen {addr} ssl; ssl_certificate {at}/cert.pem;\n\
         ssl_certificate_key {at}/key.pem; root {at}/lists;\n\
         location /basic/ {{ auth_basic lists; auth_basic_user_file {at}/users; }}\n\
         location /bearer/ {{ if ($http_authorization != \"Bearer abc.def\") {{ return 401; }} }} }}\n\
         }}\n"
    );
    run(program, dir, &config)
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
    run(program, dir, &config)
}

fn run(program: &Path, dir: &Path, config: &str) -> Command {
    let file = dir.join("nginx.conf");
    write(&file, config);
    let mut command = Command::new(program);
    command.arg("-p").arg(dir).arg("-c").arg(&file).arg("-e").arg("stderr");
    command
}
