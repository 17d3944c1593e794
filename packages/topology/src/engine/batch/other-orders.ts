/** Up to so many, all orders are tried: 24. */
const MOST_PERMUTED = 4;

/** Beyond, so many orders. */
const MOST_ATTEMPTS = 8;

/** Given what failed in the order before, the next one to try; undefined when no more are worth it. */
export type NextOrder = (failed: readonly number[]) => readonly number[] | undefined;

/**
 * Orders to try besides the one given. Up to four elements: all of them, in lexicographic order. More: those that failed
 * move to the front, time and again (squeaky wheel optimisation: Joslin and Clements 1999), until an order comes back; eight
 * times at most.
 */
export function otherOrders(order: readonly number[]): NextOrder {
  if (order.length > MOST_PERMUTED) return squeakyWheel(order);
  const others = permutations(order).slice(1);
  return () => others.shift();
}

function squeakyWheel(order: readonly number[]): NextOrder {
  const seen = new Set([order.join()]);
  let current = order;
  return (failed) => {
    const first = new Set(failed);
    current = [...current.filter((element) => first.has(element)), ...current.filter((element) => !first.has(element))];
    if (seen.has(current.join()) || seen.size > MOST_ATTEMPTS) return undefined;
    seen.add(current.join());
    return current;
  };
}

/** The order as it is first. */
function permutations(order: readonly number[]): (readonly number[])[] {
  if (order.length <= 1) return [order];
  return order.flatMap((element, i) => permutations(order.toSpliced(i, 1)).map((rest) => [element, ...rest]));
}
