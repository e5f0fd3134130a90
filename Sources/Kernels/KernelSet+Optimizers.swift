import CKernels

// The optimizers' updates: checked views in, one pass over memory. w are the parameters and g is
// what `GradientTerms` make of the gradients. No two views may overlap.

extension KernelSet {
  /// w -= rate * g
  public func descend(
    _ parameters: UnsafeMutableBufferPointer<Float>, gradients: UnsafeBufferPointer<Float>,
    _ terms: GradientTerms, rate: Float
  ) {
    precondition(gradients.count == parameters.count)
    guard let w = parameters.baseAddress else { return }
    divide(
      elements: parameters.count,
      (w: w, g: gradients.baseAddress!, terms: terms.table, rate: rate)
    ) { kernels, o, part in
      let i = part.lowerBound
      kernels.table.optimizers.descend(part.count, o.terms, o.rate, o.g + i, o.w + i)
    }
  }

  /// v = momentum * v + g; w -= rate * v or, if `nesterov`, rate * (g + momentum * v)
  public func descend(
    _ parameters: UnsafeMutableBufferPointer<Float>,
    velocity: UnsafeMutableBufferPointer<Float>, gradients: UnsafeBufferPointer<Float>,
    _ terms: GradientTerms, rate: Float, momentum: Float, nesterov: Bool
  ) {
    precondition(gradients.count == parameters.count && velocity.count == parameters.count)
    guard let w = parameters.baseAddress else { return }
    divide(
      elements: parameters.count,
      (
        w: w, v: velocity.baseAddress!, g: gradients.baseAddress!, terms: terms.table, rate: rate,
        momentum: momentum, nesterov: nesterov
      )
    ) { kernels, o, part in
      let i = part.lowerBound
      kernels.table.optimizers.descendWithMomentum(
        part.count, o.terms, o.rate, o.momentum, o.nesterov, o.g + i, o.v + i, o.w + i)
    }
  }

  /// Takes g into the averages m (`first`) and v (`second`); w -= rate * u, as `MomentTerms` say.
  public func adam(
    _ parameters: UnsafeMutableBufferPointer<Float>, first: UnsafeMutableBufferPointer<Float>,
    second: UnsafeMutableBufferPointer<Float>, gradients: UnsafeBufferPointer<Float>,
    _ terms: GradientTerms, _ moments: MomentTerms, rate: Float
  ) {
    precondition(gradients.count == parameters.count)
    precondition(first.count == parameters.count && second.count == parameters.count)
    guard let w = parameters.baseAddress else { return }
    divide(
      elements: parameters.count,
      (
        w: w, m: first.baseAddress!, v: second.baseAddress!, g: gradients.baseAddress!,
        terms: terms.table, moments: moments.table, rate: rate
      )
    ) { kernels, o, part in
      let i = part.lowerBound
      kernels.table.optimizers.adam(
        part.count, o.terms, o.moments, o.rate, o.g + i, o.m + i, o.v + i, o.w + i)
    }
  }

  /// s += g^2; w -= rate * g / (sqrt(s) + epsilon)
  /// - Precondition: `epsilon` is positive.
  public func adagrad(
    _ parameters: UnsafeMutableBufferPointer<Float>, squares: UnsafeMutableBufferPointer<Float>,
    gradients: UnsafeBufferPointer<Float>, _ terms: GradientTerms, epsilon: Float, rate: Float
  ) {
    precondition(gradients.count == parameters.count && squares.count == parameters.count)
    precondition(epsilon > 0)
    guard let w = parameters.baseAddress else { return }
    divide(
      elements: parameters.count,
      (
        w: w, s: squares.baseAddress!, g: gradients.baseAddress!, terms: terms.table,
        epsilon: epsilon, rate: rate
      )
    ) { kernels, o, part in
      let i = part.lowerBound
      kernels.table.optimizers.adagrad(
        part.count, o.terms, o.epsilon, o.rate, o.g + i, o.s + i, o.w + i)
    }
  }

  /// Takes g^2 into the average s (`squares`) and g into the average a (`averages`; 0 if nil);
  /// u = g / (sqrt(s - a^2) + epsilon); b = momentum * b + u (`velocity`; u if nil); w -= rate * b.
  /// - Precondition: `epsilon` is positive.
  public func rmsprop(
    _ parameters: UnsafeMutableBufferPointer<Float>, squares: UnsafeMutableBufferPointer<Float>,
    averages: UnsafeMutableBufferPointer<Float>?, velocity: UnsafeMutableBufferPointer<Float>?,
    gradients: UnsafeBufferPointer<Float>, _ terms: GradientTerms, average: ExponentialAverage,
    epsilon: Float, momentum: Float, rate: Float
  ) {
    precondition(gradients.count == parameters.count && squares.count == parameters.count)
    precondition(averages.map { $0.count == parameters.count } ?? true)
    precondition(velocity.map { $0.count == parameters.count } ?? true)
    precondition(epsilon > 0)
    guard let w = parameters.baseAddress else { return }
    divide(
      elements: parameters.count,
      (
        w: w, s: squares.baseAddress!, a: averages?.baseAddress, v: velocity?.baseAddress,
        g: gradients.baseAddress!, terms: terms.table,
        average: CSquareAverage(keep: average.keep, take: average.take, epsilon: epsilon),
        momentum: momentum, rate: rate
      )
    ) { kernels, o, part in
      let i = part.lowerBound
      kernels.table.optimizers.rmsprop(
        part.count, o.terms, o.average, o.momentum, o.rate, o.g + i, o.s + i, o.a.map { $0 + i },
        o.v.map { $0 + i }, o.w + i)
    }
  }

  /// The sum of x^2, in double precision: an order of summation that depends on the count only.
  public func sumOfSquares(_ x: UnsafeBufferPointer<Float>) -> Double {
    guard let base = x.baseAddress else { return 0 }
    return table.optimizers.sumOfSquares(x.count, base)
  }

  /// The norms of w and of g.
  public func larsNorms(
    _ parameters: UnsafeMutableBufferPointer<Float>, gradients: UnsafeBufferPointer<Float>,
    _ terms: GradientTerms
  ) -> NormPair {
    precondition(gradients.count == parameters.count)
    guard let w = parameters.baseAddress else { return NormPair(parameters: 0, direction: 0) }
    return norms { sums in
      table.optimizers.larsNorms(parameters.count, terms.table, gradients.baseAddress!, w, sums)
    }
  }

  /// v = momentum * v + rate * g; w -= v
  public func lars(
    _ parameters: UnsafeMutableBufferPointer<Float>,
    velocity: UnsafeMutableBufferPointer<Float>, gradients: UnsafeBufferPointer<Float>,
    _ terms: GradientTerms, rate: Float, momentum: Float
  ) {
    precondition(gradients.count == parameters.count && velocity.count == parameters.count)
    guard let w = parameters.baseAddress else { return }
    divide(
      elements: parameters.count,
      (
        w: w, v: velocity.baseAddress!, g: gradients.baseAddress!, terms: terms.table, rate: rate,
        momentum: momentum
      )
    ) { kernels, o, part in
      let i = part.lowerBound
      kernels.table.optimizers.lars(
        part.count, o.terms, o.rate, o.momentum, o.g + i, o.v + i, o.w + i)
    }
  }

  /// Takes g into the averages m (`first`) and v (`second`).
  /// - Returns: the norms of w and of the direction u that they give, as `MomentTerms` say.
  public func lambNorms(
    _ parameters: UnsafeMutableBufferPointer<Float>, first: UnsafeMutableBufferPointer<Float>,
    second: UnsafeMutableBufferPointer<Float>, gradients: UnsafeBufferPointer<Float>,
    _ terms: GradientTerms, _ moments: MomentTerms
  ) -> NormPair {
    precondition(gradients.count == parameters.count)
    precondition(first.count == parameters.count && second.count == parameters.count)
    guard let w = parameters.baseAddress else { return NormPair(parameters: 0, direction: 0) }
    return norms { sums in
      table.optimizers.lambNorms(
        parameters.count, terms.table, moments.table, gradients.baseAddress!, first.baseAddress!,
        second.baseAddress!, w, sums)
    }
  }

  /// w -= rate * u, with the averages that `lambNorms` has left.
  public func lamb(
    _ parameters: UnsafeMutableBufferPointer<Float>, first: UnsafeMutableBufferPointer<Float>,
    second: UnsafeMutableBufferPointer<Float>, _ moments: MomentTerms, rate: Float
  ) {
    precondition(first.count == parameters.count && second.count == parameters.count)
    guard let w = parameters.baseAddress else { return }
    divide(
      elements: parameters.count,
      (w: w, m: first.baseAddress!, v: second.baseAddress!, moments: moments.table, rate: rate)
    ) { kernels, o, part in
      let i = part.lowerBound
      kernels.table.optimizers.lamb(part.count, o.moments, o.rate, o.m + i, o.v + i, o.w + i)
    }
  }

  private func norms(_ sum: (UnsafeMutablePointer<Double>) -> Void) -> NormPair {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: 2) { sums in
      sum(sums.baseAddress!)
      return NormPair(parameters: sums[0].squareRoot(), direction: sums[1].squareRoot())
    }
  }
}
