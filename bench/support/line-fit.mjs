/**
 * The line of least squares through points [x, y]: its slope, and half of the width of its 95 % confidence interval (normal
 * approximation, residuals taken as independent).
 */
export function lineFit(points) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(points.map((point) => point[0]));
  const y = mean(points.map((point) => point[1]));
  const spread = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
  const slope = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / spread;
  const residual = points.reduce((sum, point) => sum + (point[1] - y - slope * (point[0] - x)) ** 2, 0);
  return { slope, half: 1.96 * Math.sqrt(residual / (points.length - 2) / spread) };
}
