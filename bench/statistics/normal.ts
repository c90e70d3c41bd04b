// Quantiles of the standard normal distribution. Wichura, "Algorithm AS 241: The Percentage Points
// of the Normal Distribution", Applied Statistics 37 (1988), PPND16; R's qnorm.

/** Coefficients of a polynomial, the constant first. */
type Polynomial = readonly number[];

/** A quotient of two polynomials, good on a part of the range. */
interface Rational {
  readonly above: Polynomial;
  readonly below: Polynomial;
}

/** Within 0.425 of the middle, in 0.425² − (p − ½)². */
const central: Rational = {
  above: [
    3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946,
    45921.95393154987, 67265.7709270087, 33430.57558358813, 2509.0809287301227,
  ],
  below: [
    1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597,
    39307.89580009271, 28729.085735721943, 5226.495278852546,
  ],
};

/** To about p = 1.4e-11, in √(−ln p) − 1.6. */
const tail: Rational = {
  above: [
    1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045,
    1.2704582524523684, 0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
  ],
  below: [
    1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008,
    0.015198666563616457, 0.0005475938084995345, 1.0507500716444169e-9,
  ],
};

/** Beyond, in √(−ln p) − 5. */
const farTail: Rational = {
  above: [
    6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487,
    0.026532189526576124, 0.0012426609473880784, 0.000027115555687434876, 2.0103343992922881e-7,
  ],
  below: [
    1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133,
    0.000018463183175100548, 1.421511758316446e-7, 2.0442631033899397e-15,
  ],
};

/** The normal quantile of p: 1.96 at 0.975. @throws {RangeError} for p outside (0, 1). */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`probability ${p} is not in (0, 1)`);
  const fromMiddle = p - 0.5;
  if (Math.abs(fromMiddle) <= 0.425) {
    return fromMiddle * evaluate(central, 0.425 * 0.425 - fromMiddle * fromMiddle);
  }
  const depth = Math.sqrt(-Math.log(Math.min(p, 1 - p)));
  const size = depth <= 5 ? evaluate(tail, depth - 1.6) : evaluate(farTail, depth - 5);
  return fromMiddle < 0 ? -size : size;
}

function evaluate({ above, below }: Rational, at: number): number {
  const value = (polynomial: Polynomial) =>
    polynomial.reduceRight((sum, coefficient) => sum * at + coefficient, 0);
  return value(above) / value(below);
}
