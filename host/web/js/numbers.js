// Numbers and times as a person reads them.

const whole = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** 12,345, and 1.2M where that gets long. */
export const count = (n) => (Math.abs(n) < 100_000 ? whole : short).format(n);

/** 11.5K: where there is little room. */
export const brief = (n) => (Math.abs(n) < 10_000 ? whole : short).format(n);

/** 0.1234 → 12.3 %. */
export const percent = (ratio) => `${(ratio * 100).toFixed(ratio > 0 && ratio < 0.0995 ? 1 : 0)} %`;

/** Seconds → 45 s, 3 min 20 s, 1 h 5 min. */
export function duration(seconds) {
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

/** The time of day in the reader's zone, to the second. */
export const clock = (iso) => new Date(iso).toLocaleTimeString('en-GB');

/** 2026-11-24 → 24 Nov. */
export const dayName = (day) => new Date(`${day}T00:00Z`).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
