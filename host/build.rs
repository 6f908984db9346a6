//! Lists the files of `web/`, the published files of `sdk/js/` and, where `make deps` has fetched it, Swagger UI, so that
//! they are compiled in.

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// The tracking script: classic, ES module, types.
const SCRIPT: [&str; 3] = ["clickstream.js", "clickstream.mjs", "clickstream.d.ts"];

/// What the page of the API loads.
const SWAGGER: [&str; 2] = ["swagger-ui-bundle.js", "swagger-ui.css"];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|e| e.path()) {
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

fn main() {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let web = here.join("web");
    let script = here.join("../sdk/js");
    println!("cargo::rerun-if-changed={}", web.display());
    for name in SCRIPT {
        println!("cargo::rerun-if-changed={}", script.join(name).display());
    }
    let mut found = Vec::new();
    files(&web, &mut found);
    found.sort();
    let mut code = String::from("static FILES: &[(&str, &[u8])] = &[\n");
    for path in found {
        let name = path.strip_prefix(&here).expect("below the crate").display().to_string();
        let _ = writeln!(code, "    ({name:?}, include_bytes!({:?})),", path.display().to_string());
    }
    for name in SCRIPT {
        let _ = writeln!(code, "    ({name:?}, include_bytes!({:?})),", script.join(name).display().to_string());
    }
    let swagger = here.join("../target/deps/node_modules/swagger-ui-dist");
    for name in SWAGGER {
        let path = swagger.join(name);
        println!("cargo::rerun-if-changed={}", path.display());
        if path.exists() {
            let _ = writeln!(code, "    (\"web/swagger/{name}\", include_bytes!({:?})),", path.display().to_string());
        }
    }
    code.push_str("];\n");
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join("web_files.rs");
    fs::write(out, code).expect("the output folder is writable");
}
