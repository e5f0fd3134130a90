@testable import Kernels

/// Every update of an optimizer, on random numbers: as a kernel makes it, and in Double.
enum OptimizerUpdate: CaseIterable {
  case descend, withMomentum, nesterov, adam, adagrad
  case rmsprop, centeredRMSprop, rmspropWithMomentum, centeredRMSpropWithMomentum
  case larsNorms, lars, lambNorms, lamb

  static let terms = GradientTerms(scale: 0.3, limit: 0.2, weightDecay: 0.01, l1: 0.003)
  static let average = ExponentialAverage(decay: 0.9)
  static let moments = MomentTerms(
    first: ExponentialAverage(decay: 0.8), second: ExponentialAverage(decay: 0.95),
    firstCorrection: 1.7, secondCorrection: 2.3, epsilon: 0.01, weightDecay: 0.2)
  static let (rate, momentum, epsilon): (Float, Float, Float) = (0.1, 0.9, 0.01)

  /// What an update leaves. `a` and `b` are the optimizer's states, such as velocity.
  struct Result<Element: BinaryFloatingPoint> {
    var parameters: [Element]
    var a: [Element]
    var b: [Element]
    var c: [Element]
    /// Sums of squares, where the update has some.
    var sums: [Double] = [0, 0]
  }

  /// Random parameters and states; squares are positive, and above those of averages.
  static func operands(_ count: Int) -> (gradients: [Float], start: Result<Float>) {
    let squares = randomValues(count, 13).map { 1.1 + $0 }
    return (
      randomValues(count, 11),
      Result(
        parameters: randomValues(count, 12), a: randomValues(count, 14).map { 0.2 * $0 },
        b: squares, c: randomValues(count, 15))
    )
  }

  /// The kernel's result, from ordinary memory.
  func run(_ kernels: KernelSet, count: Int) -> Result<Float> {
    let (gradients, start) = OptimizerUpdate.operands(count)
    return run(kernels, gradients, start)
  }

  func run(
    _ kernels: KernelSet, _ gradients: [Float], _ start: Result<Float>
  ) -> Result<Float> {
    var (gradients, result) = (gradients, start)
    gradients.withUnsafeMutableBufferPointer { g in
      result.parameters.withUnsafeMutableBufferPointer { w in
        result.a.withUnsafeMutableBufferPointer { a in
          result.b.withUnsafeMutableBufferPointer { b in
            result.c.withUnsafeMutableBufferPointer { c in
              call(kernels, UnsafeBufferPointer(g), w, a, b, c, &result.sums)
            }
          }
        }
      }
    }
    return result
  }

  /// The kernel's result, from memory between fences.
  func run(_ kernels: KernelSet, count: Int, _ fences: Fences) -> Result<Float> {
    var (gradients, result) = OptimizerUpdate.operands(count)
    func output(_ values: [Float]) -> UnsafeMutableBufferPointer<Float> {
      UnsafeMutableBufferPointer(start: fences.output(values), count: count)
    }
    let g = UnsafeBufferPointer(start: fences.input(gradients), count: count)
    let w = output(result.parameters)
    let (a, b, c) = (output(result.a), output(result.b), output(result.c))
    call(kernels, g, w, a, b, c, &result.sums)
    (result.parameters, result.a, result.b, result.c) = (Array(w), Array(a), Array(b), Array(c))
    return result
  }

  private func call(
    _ kernels: KernelSet, _ g: UnsafeBufferPointer<Float>, _ w: UnsafeMutableBufferPointer<Float>,
    _ a: UnsafeMutableBufferPointer<Float>, _ b: UnsafeMutableBufferPointer<Float>,
    _ c: UnsafeMutableBufferPointer<Float>, _ sums: inout [Double]
  ) {
    let (terms, moments) = (OptimizerUpdate.terms, OptimizerUpdate.moments)
    let (rate, momentum) = (OptimizerUpdate.rate, OptimizerUpdate.momentum)
    let epsilon = OptimizerUpdate.epsilon
    func rmsprop(
      _ averages: UnsafeMutableBufferPointer<Float>?, _ velocity: UnsafeMutableBufferPointer<Float>?
    ) {
      kernels.rmsprop(
        w, squares: b, averages: averages, velocity: velocity, gradients: g, terms,
        average: OptimizerUpdate.average, epsilon: epsilon, momentum: momentum, rate: rate)
    }
    switch self {
    case .descend: kernels.descend(w, gradients: g, terms, rate: rate)
    case .withMomentum, .nesterov:
      kernels.descend(
        w, velocity: a, gradients: g, terms, rate: rate, momentum: momentum,
        nesterov: self == .nesterov)
    case .adam: kernels.adam(w, first: a, second: b, gradients: g, terms, moments, rate: rate)
    case .adagrad:
      kernels.adagrad(w, squares: b, gradients: g, terms, epsilon: epsilon, rate: rate)
    case .rmsprop: rmsprop(nil, nil)
    case .centeredRMSprop: rmsprop(a, nil)
    case .rmspropWithMomentum: rmsprop(nil, c)
    case .centeredRMSpropWithMomentum: rmsprop(a, c)
    case .larsNorms:
      let norms = kernels.larsNorms(w, gradients: g, terms)
      sums = [norms.parameters, norms.direction]
    case .lars:
      kernels.lars(w, velocity: a, gradients: g, terms, rate: rate, momentum: momentum)
    case .lambNorms:
      let norms = kernels.lambNorms(w, first: a, second: b, gradients: g, terms, moments)
      sums = [norms.parameters, norms.direction]
    case .lamb: kernels.lamb(w, first: a, second: b, moments, rate: rate)
    }
  }
}

extension OptimizerUpdate {
  /// The formulas of CKernels.h, element by element, in Double.
  func exact(count: Int) -> Result<Double> {
    let (gradients, start) = OptimizerUpdate.operands(count)
    var result = Result(
      parameters: start.parameters.map(Double.init), a: start.a.map(Double.init),
      b: start.b.map(Double.init), c: start.c.map(Double.init))
    for i in 0..<count { update(&result, i, Double(gradients[i])) }
    result.sums = result.sums.map { $0.squareRoot() }
    return result
  }

  private func update(_ result: inout Result<Double>, _ i: Int, _ gradient: Double) {
    let (terms, moments) = (OptimizerUpdate.terms, OptimizerUpdate.moments)
    let rate = Double(OptimizerUpdate.rate)
    let momentum = Double(OptimizerUpdate.momentum)
    let epsilon = Double(OptimizerUpdate.epsilon)
    let w = result.parameters[i]
    let limit = Double(terms.limit)
    let clamped = min(max(Double(terms.scale) * gradient, -limit), limit)
    let sign: Double = w > 0 ? 1 : w < 0 ? -1 : 0
    let g = clamped + Double(terms.weightDecay) * w + Double(terms.l1) * sign
    func average(_ average: ExponentialAverage, _ old: Double, _ new: Double) -> Double {
      Double(average.keep) * old + Double(average.take) * new
    }
    func direction() -> Double {
      Double(moments.firstCorrection) * result.a[i]
        / (Double(moments.secondCorrection) * result.b[i].squareRoot() + Double(moments.epsilon))
        + Double(moments.weightDecay) * w
    }
    func rmsprop(centered: Bool, hasMomentum: Bool) {
      result.b[i] = average(OptimizerUpdate.average, result.b[i], g * g)
      if centered { result.a[i] = average(OptimizerUpdate.average, result.a[i], g) }
      let variance = result.b[i] - (centered ? result.a[i] * result.a[i] : 0)
      var u = g / (variance.squareRoot() + epsilon)
      if hasMomentum {
        u += momentum * result.c[i]
        result.c[i] = u
      }
      result.parameters[i] = w - rate * u
    }
    switch self {
    case .descend: result.parameters[i] = w - rate * g
    case .withMomentum, .nesterov:
      result.a[i] = momentum * result.a[i] + g
      let u = self == .nesterov ? g + momentum * result.a[i] : result.a[i]
      result.parameters[i] = w - rate * u
    case .adam, .lambNorms:
      result.a[i] = average(moments.first, result.a[i], g)
      result.b[i] = average(moments.second, result.b[i], g * g)
      if self == .adam {
        result.parameters[i] = w - rate * direction()
      } else {
        result.sums[0] += w * w
        result.sums[1] += direction() * direction()
      }
    case .adagrad:
      result.b[i] += g * g
      result.parameters[i] = w - rate * g / (result.b[i].squareRoot() + epsilon)
    case .rmsprop: rmsprop(centered: false, hasMomentum: false)
    case .centeredRMSprop: rmsprop(centered: true, hasMomentum: false)
    case .rmspropWithMomentum: rmsprop(centered: false, hasMomentum: true)
    case .centeredRMSpropWithMomentum: rmsprop(centered: true, hasMomentum: true)
    case .larsNorms:
      result.sums[0] += w * w
      result.sums[1] += g * g
    case .lars:
      result.a[i] = momentum * result.a[i] + rate * g
      result.parameters[i] = w - result.a[i]
    case .lamb: result.parameters[i] = w - rate * direction()
    }
  }
}

extension OptimizerUpdate.Result<Float> {
  var bits: [UInt64] {
    [parameters, a, b, c].flatMap { $0.map { UInt64($0.bitPattern) } } + sums.map(\.bitPattern)
  }
}
