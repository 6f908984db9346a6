// Waiting for a condition, never for a time.

const STEP = 100; // ms between looks

/** Resolves with what `condition` returns once that is true; fails after `deadline` ms, naming `what`. */
export async function eventually(what, deadline, condition) {
  const end = Date.now() + deadline;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${deadline} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, STEP));
  }
}
