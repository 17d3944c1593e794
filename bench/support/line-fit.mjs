/**
 * The line of least squares through points [x, y]: its slope, and half of the width of its 95 % confidence interval (normal
 * approximation). Points in a row are not independent: what is left of one is partly that of the one before (AR(1)), so fewer
 * count, as in Santer et al. 2000, https://doi.org/10.1029/1999JD901105.
 */
export function lineFit(points) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(points.map((point) => point[0]));
  const y = mean(points.map((point) => point[1]));
  const spread = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
  const slope = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / spread;
  const residuals = points.map((point) => point[1] - y - slope * (point[0] - x));
  const squares = residuals.reduce((sum, one) => sum + one ** 2, 0);
  const neighbours = residuals.slice(1).reduce((sum, one, index) => sum + one * residuals[index], 0);
  const alike = squares === 0 ? 0 : Math.max(0, neighbours / squares);
  const independent = Math.max(3, (points.length * (1 - alike)) / (1 + alike));
  return { slope, half: 1.96 * Math.sqrt(squares / (independent - 2) / spread) };
}
