import Kernels

/// Layers with their parameters, state, gradients and activations: one rank's copy of the model.
///
/// Memory is allocated here, for the largest batch, and never again.
public final class Network {
  public let plan: NetworkPlan
  public let parameters: Slab
  /// What layers remember without learning it; equal on all ranks, and saved with the parameters.
  public let state: Slab
  /// What `backward` writes, to the planes that the pass's shards speak of; behind each plane
  /// `gradientTail` elements that travel with it.
  public let gradients: Slab

  /// Rows of the largest batch.
  public let maximumRows: Int

  private let memoryPlan: MemoryPlan
  private let values: [AlignedBuffer]
  private let valueGradients: [AlignedBuffer]
  private let workspaces: [AlignedBuffer]
  /// Of each stage; nil for sums.
  private let memories: [LayerMemory?]
  /// Of each stage, what it does of the stage behind it.
  private let fusions: [Fusion?]
  /// Of each stage that works on the network's input and can read it sparse, its layer.
  private let sparseReaders: [(any SparseReading)?]
  /// Of each stage, what it does of the backward pass of the stage in front of it.
  private let gradientFusions: [GradientFusion?]

  private struct Fusion {
    var layer: any ActivationFusing
    var activation: Activation
  }

  private struct GradientFusion {
    var layer: any ActivationGradientFusing
    var activation: Activation
  }

  /// - Parameters:
  ///   - gradientPlanes: where sums wait for those of other ranks, or passes.
  ///   - gradientMemory: makes zero, 64-byte aligned memory for so many gradients and their tails; the
  ///     network's own, of one plane, if not given.
  /// - Throws: what `gradientMemory` throws.
  public init(
    _ plan: NetworkPlan, maximumRows: Int, gradientTail: Int = 0,
    gradientPlanes: Int = 1,
    gradientMemory: ((Int) throws -> UnsafeMutableBufferPointer<Float>)? = nil
  ) rethrows {
    precondition(maximumRows >= 0)
    self.plan = plan
    self.maximumRows = maximumRows
    let layout = plan.layout
    let parameters = Slab(layout)
    let state = Slab(plan.stateLayout)
    let gradients =
      try gradientMemory.map {
        Slab(
          layout, in: try $0(gradientPlanes * (layout.count + gradientTail)),
          planes: gradientPlanes)
      } ?? Slab(layout, tail: gradientTail)
    self.parameters = parameters
    self.state = state
    self.gradients = gradients

    let memoryPlan = MemoryPlan(plan)
    self.memoryPlan = memoryPlan
    values = memoryPlan.valueWidths.map { AlignedBuffer(count: $0 * maximumRows) }
    valueGradients = memoryPlan.gradientWidths.map { AlignedBuffer(count: $0 * maximumRows) }
    let workspaces = plan.stages.map {
      AlignedBuffer(count: $0.layer?.workspaceCount(rows: maximumRows) ?? 0)
    }
    self.workspaces = workspaces

    var (tensors, states) = (layout.tensors[...], plan.stateLayout.tensors[...])
    memories = plan.stages.enumerated().map { number, stage in
      guard let layer = stage.layer else { return nil }
      let mine = tensors.prefix(layer.parameters.count)
      let remembered = states.prefix(layer.state.count)
      tensors = tensors.dropFirst(mine.count)
      states = states.dropFirst(remembered.count)
      return LayerMemory(
        weights: mine.map { parameters.base + $0.offset },
        gradients: mine.map { gradients.base + $0.offset },
        state: remembered.map { state.base + $0.offset }, workspace: workspaces[number].base,
        number: number)
    }
    fusions = plan.stages.indices.map { number in
      guard number + 1 < plan.stages.count, plan.stages[number + 1].input == number + 1,
        memoryPlan.valueBuffer[number + 2] == memoryPlan.valueBuffer[number + 1],
        let layer = plan.stages[number].layer as? any ActivationFusing,
        let activation = plan.stages[number + 1].layer?.activation, layer.canFuse(activation)
      else { return nil }
      return Fusion(layer: layer, activation: activation)
    }
    sparseReaders = plan.stages.map { $0.input == 0 ? $0.layer as? any SparseReading : nil }
    gradientFusions = plan.stages.indices.map { number in
      guard number > 0, plan.stages[number].input == number, plan.uses(ofValue: number) == 1,
        memoryPlan.passesGradientThrough(stage: number - 1),
        let layer = plan.stages[number].layer as? any ActivationGradientFusing,
        let activation = plan.stages[number - 1].layer?.activation,
        layer.canFuseGradient(of: activation)
      else { return nil }
      return GradientFusion(layer: layer, activation: activation)
    }
  }

  public var layout: SlabLayout { plan.layout }
  public var stages: [NetworkPlan.Stage] { plan.stages }
  public var inputShape: Shape { plan.inputShape }
  public var outputShape: Shape { plan.outputShape }

  /// Sets the parameters to what `seed` says, on any rank, and the state to its beginning.
  public func initialize(seed: UInt64) {
    for (slab, tensors) in [
      (parameters, stages.flatMap { $0.layer?.parameters ?? [] }),
      (state, stages.flatMap { $0.layer?.state ?? [] }),
    ] {
      for (instance, (parameter, tensor)) in zip(tensors, slab.layout.tensors).enumerated() {
        parameter.initializer.fill(slab.elements(of: tensor), seed: seed, instance: instance)
      }
    }
  }

  /// Computes the outputs (rows x outputShape.count) for inputs (rows x inputShape.count). They
  /// stay until the next pass.
  /// - Parameter ended: called behind each stage with its number; behind two that are one, once
  ///   with that of the first.
  /// - Precondition: `plan.requireSparseInput` throws nothing, if the inputs are sparse.
  /// - Throws: what `pass.batchSum` and `ended` throw.
  public func forward(
    _ inputs: AnyMatrix, pass: Pass, ended: (Int) throws -> Void = { _ in }
  ) throws -> Matrix {
    precondition(inputs.rows <= maximumRows && inputs.columns == inputShape.count)
    var number = 0
    while number < stages.count {
      let first = number
      let stage = stages[number]
      let y = value(number + 1, inputs)
      switch stage.operation {
      case .layer(let layer):
        if case .sparse(let x) = inputs, let reader = sparseReaders[number] {
          // An activation behind it is a stage of its own then.
          reader.forward(x, into: y, memory: memories[number]!, pass: pass)
        } else if let fusion = fusions[number] {
          try fusion.layer.forward(
            value(stage.input, inputs), into: y, then: fusion.activation,
            memory: memories[number]!, pass: pass)
          number += 1
        } else if let fusion = gradientFusions[number] {
          try fusion.layer.forward(
            value(stage.input, inputs), behind: fusion.activation, into: y,
            memory: memories[number]!, pass: pass)
        } else {
          try layer.forward(
            value(stage.input, inputs), into: y, memory: memories[number]!, pass: pass)
        }
      case .sum(let addend):
        y.copy(value(stage.input, inputs))
        pass.kernels.add(UnsafeBufferPointer(value(addend, inputs).elements), to: y.elements)
      }
      number += 1
      try ended(first)
    }
    return value(stages.count, inputs)
  }

  /// What stage `number` has made of `inputs`: valid where `forward` says that the stage has ended,
  /// and until a later one writes over it.
  public func output(ofStage number: Int, inputs: AnyMatrix) -> Matrix {
    value(number + 1, inputs)
  }

  /// Where the gradient by the outputs has to be written before `backward` starts.
  public func outputGradient(rows: Int) -> Matrix {
    gradient(memoryPlan.backward.last!.output, rows: rows, columns: outputShape.count)
  }

  /// Whether `backward` computes the gradient by the inputs of stage `number`: only where a stage in
  /// front can use it.
  public func passesGradientOn(fromStage number: Int) -> Bool {
    memoryPlan.backward[number].input != nil
  }

  /// Passes the gradient back through stage `number`. Call it from the last stage to the first.
  /// - Parameter inputs: what `forward` was given.
  /// - Throws: what `pass.batchSum` throws.
  public func backward(throughStage number: Int, inputs: AnyMatrix, pass: Pass) throws {
    // The stage behind it has done it.
    if number + 1 < stages.count, gradientFusions[number + 1] != nil { return }
    let stage = stages[number]
    let step = memoryPlan.backward[number]
    if case .sparse(let x) = inputs, let reader = sparseReaders[number] {
      let dy = gradient(step.output, rows: inputs.rows, columns: stage.outputShape.count)
      reader.backward(dy, x: x, memory: memories[number]!, pass: pass)
      return
    }
    let x = value(stage.input, inputs)
    if let layer = stage.layer {
      let y = value(number + 1, inputs)
      try layer.backward(
        gradient(step.output, rows: y.rows, columns: y.columns), x: x, y: y,
        into: step.input.map { gradient($0, rows: x.rows, columns: x.columns) },
        memory: memories[number]!, pass: pass)
    }
    for move in step.moves { perform(move, rows: x.rows, columns: x.columns, pass.kernels) }
  }

  private func perform(
    _ move: MemoryPlan.GradientMove, rows: Int, columns: Int, _ kernels: KernelSet
  ) {
    func elements(_ buffer: Int) -> UnsafeMutableBufferPointer<Float> {
      gradient(buffer, rows: rows, columns: columns).elements
    }
    switch move {
    case .none: break
    case .add(let buffer, let sum):
      kernels.add(UnsafeBufferPointer(elements(buffer)), to: elements(sum))
    case .sum(let a, let b, let sum):
      gradient(sum, rows: rows, columns: columns)
        .copy(gradient(a, rows: rows, columns: columns))
      kernels.add(UnsafeBufferPointer(elements(b)), to: elements(sum))
    }
  }

  /// A value of the pass, value 0 being its inputs.
  private func value(_ number: Int, _ inputs: AnyMatrix) -> Matrix {
    let base: UnsafeMutablePointer<Float>
    if let buffer = memoryPlan.valueBuffer[number] {
      base = values[buffer].base
    } else {
      guard case .dense(let matrix) = inputs else {
        preconditionFailure("stage \(number) cannot read sparse inputs")
      }
      base = matrix.base
    }
    return Matrix(base, rows: inputs.rows, columns: plan.shape(of: number).count)
  }

  private func gradient(_ buffer: Int, rows: Int, columns: Int) -> Matrix {
    Matrix(valueGradients[buffer].base, rows: rows, columns: columns)
  }
}

extension Network {
  /// The same for inputs that are stored in full.
  public func forward(
    _ inputs: Matrix, pass: Pass, ended: (Int) throws -> Void = { _ in }
  ) throws -> Matrix {
    try forward(.dense(inputs), pass: pass, ended: ended)
  }

  /// The same for inputs that are stored in full.
  public func backward(throughStage number: Int, inputs: Matrix, pass: Pass) throws {
    try backward(throughStage: number, inputs: .dense(inputs), pass: pass)
  }
}
