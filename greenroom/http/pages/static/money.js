/** Amounts in words, in the reader's language. */

/** @param currency of ISO 4217; cents that are none are left out. */
export function moneyOf(cents, currency) {
  const money = new Intl.NumberFormat(undefined, {
    style: "currency",
    currency,
    minimumFractionDigits: cents % 100 ? 2 : 0,
  });
  return money.format(cents / 100);
}

/** What a service costs, for how long. */
export const rateOf = ({ price_cents, currency, duration_minutes }) =>
  `${moneyOf(price_cents, currency)} · ${duration_minutes} min`;

/** What a lesson of a service costs that is longer or shorter than the one the price is for: rounded half up, as the server does. */
export const priceOf = (service, minutes) =>
  Math.floor((2 * service.price_cents * minutes + service.duration_minutes) / (2 * service.duration_minutes));
