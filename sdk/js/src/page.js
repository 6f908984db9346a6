// The page's own functions, overheard.

export const on = (types, act) => types.split(' ').forEach((type) => addEventListener(type, act, true));

/** Calls `act` with what `object[name]` returned, each time that it is called. */
export const after = (object, name, act) => {
  const original = object[name];
  object[name] = function (...args) {
    const result = original.apply(this, args);
    act(result);
    return result;
  };
};
