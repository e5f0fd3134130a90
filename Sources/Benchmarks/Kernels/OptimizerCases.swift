import Kernels

extension KernelCase {
  /// One step of every optimizer with everything in the cache, then in memory.
  static func optimizers(_ sizes: KernelSizes) -> [KernelCase] {
    [sizes.cache, sizes.memory].flatMap { updates($0) + norms($0) }
  }

  private static let terms = GradientTerms(scale: 0.5, weightDecay: 0.125)
  private static let half = ExponentialAverage(decay: 0.5)
  private static let moments = MomentTerms(
    first: half, second: half, firstCorrection: 1, secondCorrection: 1, epsilon: 0x1p-10,
    weightDecay: 0.25)
  private static let rate: Float = 0x1p-6
  private static let epsilon: Float = 0x1p-10

  private static func updates(_ size: Int) -> [KernelCase] {
    let rate = Double(self.rate)
    let epsilon = Double(self.epsilon)
    func direction(_ v: OptimizerValues) -> Double {
      let (m, s) = (0.5 * (v.states[0] + v.g), 0.5 * (v.squares + v.g * v.g))
      return m / (s.squareRoot() + epsilon) + 0.25 * v.w
    }
    return [
      update("descend", size) { kernels, o in
        kernels.descend(o.w.elements, gradients: o.g.readOnly, terms, rate: self.rate)
      } expected: {
        $0.w - rate * $0.g
      },
      update("descend/momentum", states: 1, size) { kernels, o in
        kernels.descend(
          o.w.elements, velocity: o.states[0].elements, gradients: o.g.readOnly, terms,
          rate: self.rate, momentum: 0.5, nesterov: false)
      } expected: {
        $0.w - rate * (0.5 * $0.states[0] + $0.g)
      },
      update("descend/nesterov", states: 1, size) { kernels, o in
        kernels.descend(
          o.w.elements, velocity: o.states[0].elements, gradients: o.g.readOnly, terms,
          rate: self.rate, momentum: 0.5, nesterov: true)
      } expected: {
        $0.w - rate * ($0.g + 0.5 * (0.5 * $0.states[0] + $0.g))
      },
      update("adam", states: 1, hasSquares: true, size) { kernels, o in
        kernels.adam(
          o.w.elements, first: o.states[0].elements, second: o.squares!.elements,
          gradients: o.g.readOnly, terms, moments, rate: self.rate)
      } expected: {
        $0.w - rate * direction($0)
      },
      update("adagrad", hasSquares: true, size) { kernels, o in
        kernels.adagrad(
          o.w.elements, squares: o.squares!.elements, gradients: o.g.readOnly, terms,
          epsilon: self.epsilon, rate: self.rate)
      } expected: {
        $0.w - rate * $0.g / (($0.squares + $0.g * $0.g).squareRoot() + epsilon)
      },
      update("rmsprop", hasSquares: true, size) { kernels, o in
        kernels.rmsprop(
          o.w.elements, squares: o.squares!.elements, averages: nil, velocity: nil,
          gradients: o.g.readOnly, terms, average: half, epsilon: self.epsilon, momentum: 0,
          rate: self.rate)
      } expected: {
        $0.w - rate * $0.g / ((0.5 * ($0.squares + $0.g * $0.g)).squareRoot() + epsilon)
      },
      update("rmsprop/centered", states: 2, hasSquares: true, size) { kernels, o in
        kernels.rmsprop(
          o.w.elements, squares: o.squares!.elements, averages: o.states[0].elements,
          velocity: o.states[1].elements, gradients: o.g.readOnly, terms, average: half,
          epsilon: self.epsilon, momentum: 0.5, rate: self.rate)
      } expected: {
        let (s, a) = (0.5 * ($0.squares + $0.g * $0.g), 0.5 * ($0.states[0] + $0.g))
        let u = $0.g / ((s - a * a).squareRoot() + epsilon)
        return $0.w - rate * (0.5 * $0.states[1] + u)
      },
      update("lars", states: 1, size) { kernels, o in
        kernels.lars(
          o.w.elements, velocity: o.states[0].elements, gradients: o.g.readOnly, terms,
          rate: self.rate, momentum: 0.5)
      } expected: {
        $0.w - (0.5 * $0.states[0] + rate * $0.g)
      },
      update("lamb", readStates: 2, size) { kernels, o in
        kernels.lamb(
          o.w.elements, first: o.g.elements, second: o.squares!.elements, moments,
          rate: self.rate)
      } expected: {
        $0.w - rate * ($0.gradient / ($0.squares.squareRoot() + epsilon) + 0.25 * $0.w)
      },
    ]
  }

  /// - Parameters:
  ///   - states: what is read and written beside the parameters; `hasSquares`, one more.
  ///   - readStates: what is only read; if 0, the gradients.
  private static func update(
    _ kernel: String, states: Int = 0, hasSquares: Bool = false, readStates: Int = 0, _ size: Int,
    call: @escaping (KernelSet, OptimizerOperands) -> Void,
    expected: @escaping (OptimizerValues) -> Double
  ) -> KernelCase {
    let written = 1 + states + (hasSquares ? 1 : 0)
    let read = max(readStates, 1)
    let count = size / (4 * (written + read)) / 16 * 16
    return KernelCase(
      group: .optimizer, kernel: kernel, shape: "\(count)", bytes: 4 * count * (2 * written + read),
      footprint: 4 * count * (written + read)
    ) { kernels in
      let operands = OptimizerOperands(
        count, states: states, hasSquares: hasSquares || readStates == 2)
      return PreparedKernel(
        call: { call(kernels, operands) }, count: count,
        result: { Double(operands.w.base[$0]) }
      ) {
        // No number on the way is above 4.
        Expected(expected(operands.original($0, terms)), roundings: 16, scale: 4)
      }
    }
  }

  private static func norms(_ size: Int) -> [KernelCase] {
    let epsilon = Double(self.epsilon)
    return [
      norm("sumOfSquares", written: 0, read: 1, size) { kernels, o in
        (kernels.sumOfSquares(o.g.readOnly), 0)
      } expected: {
        ($0.gradient * $0.gradient, 0)
      },
      norm("larsNorms", written: 0, read: 2, size) { kernels, o in
        let norms = kernels.larsNorms(o.w.elements, gradients: o.g.readOnly, terms)
        return (norms.parameters * norms.parameters, norms.direction * norms.direction)
      } expected: {
        ($0.w * $0.w, $0.g * $0.g)
      },
      norm("lambNorms", written: 2, read: 2, size) { kernels, o in
        let norms = kernels.lambNorms(
          o.w.elements, first: o.states[0].elements, second: o.squares!.elements,
          gradients: o.g.readOnly, terms, moments)
        return (norms.parameters * norms.parameters, norms.direction * norms.direction)
      } expected: {
        let (m, s) = (0.5 * ($0.states[0] + $0.g), 0.5 * ($0.squares + $0.g * $0.g))
        let u = m / (s.squareRoot() + epsilon) + 0.25 * $0.w
        return ($0.w * $0.w, u * u)
      },
    ]
  }

  /// The results are two sums over all elements.
  private static func norm(
    _ kernel: String, written: Int, read: Int, _ size: Int,
    call: @escaping (KernelSet, OptimizerOperands) -> (Double, Double),
    expected: @escaping (OptimizerValues) -> (Double, Double)
  ) -> KernelCase {
    let count = size / (4 * (written + read)) / 16 * 16
    return KernelCase(
      group: .optimizer, kernel: kernel, shape: "\(count)", bytes: 4 * count * (2 * written + read),
      footprint: 4 * count * (written + read)
    ) { kernels in
      let operands = OptimizerOperands(
        count, states: written == 2 ? 1 : 0, hasSquares: written == 2, hasParameters: read == 2)
      let sums = Operand<Double>(2) { _ in .nan }
      return PreparedKernel(
        call: { (sums.base[0], sums.base[1]) = call(kernels, operands) }, count: 2,
        result: { sums.base[$0] }
      ) { number in
        var sum = 0.0
        for index in 0..<count {
          let terms = expected(operands.original(index, terms))
          sum += number == 0 ? terms.0 : terms.1
        }
        // Terms are rounded as floats; the sum, in double precision, is as good as exact.
        return Expected(sum, roundings: 16)
      }
    }
  }
}

/// The slabs of an optimizer, in ranges in which no number on the way is above 4.
private struct OptimizerOperands {
  let w: Operand<Float>
  let g: Operand<Float>
  let states: [Operand<Float>]
  /// An average of squares: large enough to be a variance beside any average.
  let squares: Operand<Float>?

  init(_ count: Int, states: Int, hasSquares: Bool, hasParameters: Bool = true) {
    w = Operand(hasParameters ? count : 1, seed: 1)
    g = Operand(count, seed: 2)
    self.states = (0..<states).map { Operand(count, seed: UInt64(3 + $0), in: 0.25...0.5) }
    squares = hasSquares ? Operand(count, seed: 9, in: 0.5...1) : nil
  }

  func original(_ index: Int, _ terms: GradientTerms) -> OptimizerValues {
    let w = index < w.count ? Double(w.original(index)) : 0
    let gradient = Double(g.original(index))
    return OptimizerValues(
      w: w, gradient: gradient,
      g: Double(terms.scale) * gradient + Double(terms.weightDecay) * w,
      states: states.map { Double($0.original(index)) },
      squares: squares.map { Double($0.original(index)) } ?? 0)
  }
}

/// The numbers of one parameter before a step.
private struct OptimizerValues {
  var w: Double
  var gradient: Double
  /// What `GradientTerms` make of the gradient.
  var g: Double
  var states: [Double]
  var squares: Double
}
