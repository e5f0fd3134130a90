import CKernels

/// What a step makes of each element of the summed gradient before the optimizer's own formula:
/// g = clamp(scale * gradient, -limit, limit) + weightDecay * w + l1 * sign(w).
public struct GradientTerms: Equatable, Sendable {
  /// Turns a sum over samples into what is followed, such as their mean.
  public var scale: Float
  /// Infinity: nothing is clamped.
  public var limit: Float
  public var weightDecay: Float
  public var l1: Float

  public init(
    scale: Float = 1, limit: Float = .infinity, weightDecay: Float = 0, l1: Float = 0
  ) {
    self.scale = scale
    self.limit = limit
    self.weightDecay = weightDecay
    self.l1 = l1
  }

  var table: CGradientTerms {
    CGradientTerms(scale: scale, limit: limit, weightDecay: weightDecay, l1: l1)
  }
}

/// An exponential average x = keep * x + take * new. `take` is 1 - keep, rounded by itself: from
/// the rounded `keep` it would lose the digits that 0.999 and 1 have in common.
public struct ExponentialAverage: Equatable, Sendable {
  public var keep: Float
  public var take: Float

  /// - Parameter decay: the part that stays, from 0 to 1.
  public init(decay: Double) {
    keep = Float(decay)
    take = Float(1 - decay)
  }
}

/// The numbers of one step of Adam, AdamW or LAMB. The averages m of g and v of g^2 give the
/// direction u = m * firstCorrection / (sqrt(v) * secondCorrection + epsilon) + weightDecay * w.
public struct MomentTerms: Equatable, Sendable {
  public var first: ExponentialAverage
  public var second: ExponentialAverage
  public var firstCorrection: Float
  public var secondCorrection: Float
  /// Positive: where gradients have been zero it keeps 0 / 0 away.
  public var epsilon: Float
  /// Decoupled: it does not go through the averages.
  public var weightDecay: Float

  public init(
    first: ExponentialAverage, second: ExponentialAverage, firstCorrection: Float,
    secondCorrection: Float, epsilon: Float, weightDecay: Float
  ) {
    precondition(epsilon > 0)
    self.first = first
    self.second = second
    self.firstCorrection = firstCorrection
    self.secondCorrection = secondCorrection
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  var table: CMoments {
    CMoments(
      keep1: first.keep, take1: first.take, keep2: second.keep, take2: second.take,
      correction1: firstCorrection, correction2: secondCorrection, epsilon: epsilon,
      weightDecay: weightDecay)
  }
}

/// Norms of two vectors: those that LARS and LAMB compare.
public struct NormPair: Equatable, Sendable {
  /// Of a tensor's parameters.
  public var parameters: Double
  /// Of what it is to be moved along.
  public var direction: Double
}
