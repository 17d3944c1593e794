export interface Coordinates {
  readonly latitude: number;
  readonly longitude: number;
}

const earthRadiusKm = 6_371.0088;
/** Light in glass travels at about two thirds of its speed in vacuum. */
const fibreKmPerUs = (299_792.458 / 1_000_000) * (2 / 3);

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Distance on a sphere of the Earth's mean radius (haversine formula), in km. */
export function greatCircleKm(a: Coordinates, b: Coordinates): number {
  const dLatitude = radians(b.latitude - a.latitude);
  const dLongitude = radians(b.longitude - a.longitude);
  const h =
    Math.sin(dLatitude / 2) ** 2 +
    Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * Math.sin(dLongitude / 2) ** 2;
  return 2 * earthRadiusKm * Math.asin(Math.min(1, Math.sqrt(h)));
}

/**
 * One-way propagation delay in µs of a fibre along the great circle, at least 1. Real fibres are longer: a lower bound.
 */
export function fibreDelayUs(a: Coordinates, b: Coordinates): number {
  return Math.max(1, Math.round(greatCircleKm(a, b) / fibreKmPerUs));
}
