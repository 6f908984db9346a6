//! `template.yaml` on LocalStack, which testcontainers starts: the functions as Lambdas, driven from outside.
//!
//! One stack serves every check, in the order below: it takes half a minute to make. A name, or part of one, runs what has
//! it in its name.

mod aws;
mod beside;
mod checks;
mod eventually;
mod host;
mod scene;

use std::{panic::AssertUnwindSafe, process::ExitCode, time::Instant};

use futures::FutureExt as _;

use crate::{checks::ALL, scene::Scene};

#[tokio::main]
async fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let checks: Vec<_> =
        ALL.iter().filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()))).collect();
    println!("\nrunning {} tests", checks.len());
    let started = Instant::now();
    let scene = Scene::start().await;
    println!("the stack stands after {:.0} s", started.elapsed().as_secs_f64());
    let (mut passed, mut failed) = (0, 0);
    for (name, check) in checks {
        let began = Instant::now();
        let outcome = AssertUnwindSafe(check(&scene)).catch_unwind().await;
        let said = if outcome.is_ok() { "ok" } else { "FAILED" };
        println!("test {name} ... {said} ({:.1} s)", began.elapsed().as_secs_f64());
        *if outcome.is_ok() { &mut passed } else { &mut failed } += 1;
    }
    if failed > 0 {
        scene.explain().await;
    }
    scene.end().await;
    let result = if failed == 0 { "ok" } else { "FAILED" };
    println!("\ntest result: {result}. {passed} passed; {failed} failed; finished in {:.2}s\n", started.elapsed().as_secs_f64());
    ExitCode::from(u8::from(failed > 0))
}
