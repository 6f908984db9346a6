// Days as the service counts them: UTC, written YYYY-MM-DD.

const DAY = 86_400_000;

/** The day that a moment lies in. */
const dayOf = (ms) => new Date(ms).toISOString().slice(0, 10);

/** The present day. */
export const today = () => dayOf(Date.now());

/** The day `n` days after `day`; before it where `n` is negative. */
export const plus = (day, n) => dayOf(Date.parse(day) + n * DAY);

/** Every day of a span, both ends in it. */
export function each(from, to) {
  const days = [];
  for (let day = from; day <= to; day = plus(day, 1)) days.push(day);
  return days;
}
