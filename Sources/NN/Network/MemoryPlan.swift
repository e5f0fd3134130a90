/// In which buffers a network's values and their gradients lie.
///
/// Values are kept from forward to backward: each has a buffer of its own, but for those of stages
/// that work in place, where nobody else needs what is overwritten. Gradients are needed for a
/// short time only, and take turns: in a row of layers, two buffers serve for all.
struct MemoryPlan {
  /// What backward does about the gradient by one value that a stage works on.
  enum GradientMove: Equatable {
    /// The stage has written it, or it lies where it should be.
    case none
    /// Adds one buffer to another.
    case add(Int, to: Int)
    /// Writes the sum of two buffers to a third.
    case sum(Int, Int, into: Int)
  }

  struct Backward {
    /// The buffer of the gradient by the stage's output.
    var output: Int
    /// Where a layer writes the gradient by its input; nil if nobody needs it.
    var input: Int?
    /// What is done afterwards.
    var moves: [GradientMove] = []
  }

  /// The buffer of each value, and the floats of one row in each buffer. The network's input, value
  /// 0, is in none, and neither is what lies where the input lies.
  private(set) var valueBuffer: [Int?]
  private(set) var valueWidths: [Int] = []
  /// How backward passes each stage.
  private(set) var backward: [Backward] = []
  /// The floats of one row in each gradient buffer.
  private(set) var gradientWidths: [Int] = []

  /// Value buffers whose content is needed by others than the next stage.
  private var isPinned: [Bool] = []
  /// How many stages use each value, and the gradient buffer of each value while it is needed.
  private let uses: [Int]
  private var gradientBuffer: [Int?]
  /// How many values' gradients lie in each buffer.
  private var holders: [Int] = []

  init(_ plan: NetworkPlan) {
    let values = plan.stages.count + 1
    valueBuffer = Array(repeating: nil, count: values)
    uses = (0..<values).map { plan.uses(ofValue: $0) }
    gradientBuffer = Array(repeating: nil, count: values)
    for (index, stage) in plan.stages.enumerated() { placeValue(of: stage, index, in: plan) }
    placeGradients(plan)
  }

  private mutating func placeValue(of stage: NetworkPlan.Stage, _ index: Int, in plan: NetworkPlan)
  {
    let maker = stage.input > 0 ? plan.stages[stage.input - 1].layer : nil
    let isShared = uses[stage.input] > 1 || maker?.backwardReads.contains(.output) == true
    let source = valueBuffer[stage.input]
    switch (stage.layer?.inPlace ?? .overwriting, source) {
    case (.unchanged, let source?):
      if isShared { isPinned[source] = true }
      valueBuffer[index + 1] = source
    case (.unchanged, nil):
      break
    case (.overwriting, let source?)
    where !isShared && !isPinned[source] && stage.layer?.backwardReads.contains(.input) != true:
      valueBuffer[index + 1] = source
    default:
      valueBuffer[index + 1] = valueWidths.count
      valueWidths.append(stage.outputShape.count)
      isPinned.append(false)
    }
  }

  /// Follows backward from the last stage to the first.
  private mutating func placeGradients(_ plan: NetworkPlan) {
    let last = plan.stages.count
    gradientBuffer[last] = take(plan.outputShape.count)
    for (index, stage) in plan.stages.enumerated().reversed() {
      let output = gradientBuffer[index + 1]!
      var step = Backward(output: output)
      switch stage.operation {
      case .layer(let layer) where stage.input > 0:
        let width = layer.inputShape.count
        if layer.inPlace != .never && holders[output] == 1 {
          holders[output] += 1
          step.input = output
        } else {
          step.input = take(width)
        }
        holders[output] -= 1
        step.moves = [settle(step.input!, as: stage.input, width)]
      case .layer:
        holders[output] -= 1
      case .sum(let addend):
        // Both summands' gradients are that of the sum, in the same memory.
        for value in [stage.input, addend] where value > 0 {
          holders[output] += 1
          step.moves.append(settle(output, as: value, stage.outputShape.count))
        }
        holders[output] -= 1
      }
      backward.append(step)
    }
    backward.reverse()
  }

  /// Whether a stage's gradients by its output and by its input are the same memory, and nothing else is
  /// done about them: if another stage writes there what the stage would, it can be left out.
  func passesGradientThrough(stage: Int) -> Bool {
    let step = backward[stage]
    return step.input == step.output && step.moves == [.none]
  }

  /// Makes what lies in `buffer` the gradient by `value`, or a part of it where another stage has
  /// used the same value.
  private mutating func settle(_ buffer: Int, as value: Int, _ width: Int) -> GradientMove {
    guard let present = gradientBuffer[value] else {
      gradientBuffer[value] = buffer
      return .none
    }
    defer { holders[buffer] -= 1 }
    if holders[present] == 1 { return .add(buffer, to: present) }
    // Somebody else still needs what is there.
    let sum = take(width)
    holders[present] -= 1
    gradientBuffer[value] = sum
    return .sum(buffer, present, into: sum)
  }

  /// A buffer that nobody holds, for one holder.
  private mutating func take(_ width: Int) -> Int {
    if let free = holders.firstIndex(of: 0) {
      holders[free] = 1
      gradientWidths[free] = max(gradientWidths[free], width)
      return free
    }
    holders.append(1)
    gradientWidths.append(width)
    return holders.count - 1
  }
}
