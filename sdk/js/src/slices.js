// Work on many things, in tasks so short that the page stays quick to answer.

const SLICE = 2; // ms

/** Calls `act` with each of `list` soon. */
export const each = (list, act) => {
  const rest = list.values();
  const work = () => {
    const end = performance.now() + SLICE;
    for (const it of rest) {
      act(it);
      // One slice a frame: what an observer finds of them in a frame is then little too.
      if (performance.now() > end) return setTimeout(work, 16);
    }
  };
  setTimeout(work);
};
