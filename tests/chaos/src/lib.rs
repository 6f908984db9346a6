//! Fault injection: the real functions on ports that fail by a seed, and a checker that shares no code with them.
