import Kernels

/// What a network consists of, worked out from its layers and its input's shape: nothing is
/// allocated for it.
///
/// Blocks are taken apart: a plan is a row of stages, each of which makes one value of earlier ones.
/// Value 0 is the network's input, and value s + 1 what stage s makes:
///
///     [dense, {residual: [dense, relu]}]
///
///     0 --dense--> 1 --dense--> 2 --relu--> 3 --sum--> 4
///                  '------------------------------^
public struct NetworkPlan {
  /// A layer, or the sum at the end of a residual block.
  public struct Stage {
    public enum Operation {
      case layer(any Layer)
      /// The value of `input` plus that of `addend`, elementwise.
      case sum(addend: Int)
    }

    /// Where it stands in the configuration: `3`, or `3.0` within a block.
    public let number: String
    public let operation: Operation
    /// The value that it works on.
    let input: Int
    /// Of what it makes of one sample.
    public let outputShape: Shape

    public var layer: (any Layer)? {
      if case .layer(let layer) = operation { layer } else { nil }
    }

    /// What it is called: a sum by its block.
    public var kind: String { layer?.kind ?? Residual.definition.name }
  }

  public let inputShape: Shape
  public private(set) var stages: [Stage] = []
  /// Where each stage's gradients start in the slab, or else those of the next that has any: once
  /// backward has passed a stage, all from there on are filled.
  public private(set) var gradientOffsets: [Int] = []
  /// Of the parameters, the gradients, and optimizer states.
  public private(set) var layout = SlabLayout()
  /// Of what layers remember without learning it.
  public private(set) var stateLayout = SlabLayout()
  /// The stages' kinds and output shapes in one line: `28x28 > dense 512 > relu 512`.
  public private(set) var outline: String

  /// - Throws: `ShapeError` if a layer cannot work on what it would get, `NetworkTooLarge`.
  public init(_ layers: [LayerSpecification], inputShape: Shape) throws {
    precondition(!layers.isEmpty)
    self.inputShape = inputShape
    outline = ""
    let (_, parts) = try append(layers, to: 0, prefix: "")
    outline = ([inputShape.description] + parts).joined(separator: " > ")
  }

  public var outputShape: Shape { shape(of: stages.count) }

  /// The shape of a value.
  func shape(of value: Int) -> Shape { value == 0 ? inputShape : stages[value - 1].outputShape }

  /// How many stages work on a value.
  func uses(ofValue value: Int) -> Int {
    stages.reduce(0) { count, stage in
      var uses = stage.input == value ? 1 : 0
      if case .sum(value) = stage.operation { uses += 1 }
      return count + uses
    }
  }

  /// Appends a row of layers.
  /// - Returns: the value that the last one makes, and each layer's part of the outline.
  private mutating func append(
    _ layers: [LayerSpecification], to value: Int, prefix: String
  ) throws -> (value: Int, outline: [String]) {
    var value = value
    var parts: [String] = []
    for (index, layer) in layers.enumerated() {
      let number = "\(prefix)\(index)"
      let name = "\(number) (\(layer.name))"
      switch layer.content {
      case .layer(let make):
        do {
          try append(make(shape(of: value)), to: value, number: number)
        } catch var error as ShapeError {
          error.layer = name
          throw error
        }
        parts.append("\(layer.name) \(outputShape)")
        value = stages.count
      case .residual(let main, let shortcut):
        let (end, mainParts) = try append(main, to: value, prefix: "\(number).")
        let (side, sideParts) = try append(shortcut, to: value, prefix: "\(number).shortcut.")
        guard shape(of: end) == shape(of: side) else {
          var error = ShapeError(
            needs: shortcut.isEmpty
              ? "layers that return the shape they get, \(shape(of: value)), or a shortcut to theirs"
              : "layers that return the shape of the shortcut, \(shape(of: side))",
            found: shape(of: end))
          error.layer = name
          throw error
        }
        append(
          Stage(
            number: number, operation: .sum(addend: side), input: end,
            outputShape: shape(of: end)))
        let rows = [mainParts, sideParts].filter { !$0.isEmpty }
        parts.append(
          "\(layer.name) (\(rows.map { $0.joined(separator: " > ") }.joined(separator: " | ")))")
        value = stages.count
      }
    }
    return (value, parts)
  }

  private mutating func append(_ stage: Stage) {
    stages.append(stage)
    gradientOffsets.append(layout.count)
  }

  private mutating func append(_ layer: any Layer, to value: Int, number: String) throws {
    precondition(layer.inputShape == shape(of: value))
    let tooLarge = NetworkTooLarge(layer: "\(number) (\(layer.kind))")
    // Far from any overflow of what is worked out from it.
    guard layer.outputShape.count < 1 << 40 else { throw tooLarge }
    append(
      Stage(
        number: number, operation: .layer(layer), input: value, outputShape: layer.outputShape))
    func place(_ tensors: [Parameter], in layout: inout SlabLayout) throws {
      for tensor in tensors {
        guard layout.count + tensor.shape.count < Shape.largest else { throw tooLarge }
        layout.append(name: "\(number).\(layer.kind).\(tensor.name)", shape: tensor.shape)
      }
    }
    try place(layer.parameters, in: &layout)
    try place(layer.state, in: &stateLayout)
  }
}

// What it takes, in floats.
extension NetworkPlan {
  /// For every row of the largest batch: outputs of layers and gradients by them.
  public var floatsPerRow: Int {
    let memory = MemoryPlan(self)
    return memory.valueWidths.reduce(0, +) + memory.gradientWidths.reduce(0, +)
  }

  /// For the layers' workspaces, with batches of up to `rows`.
  public func workspaceCount(rows: Int) -> Int {
    stages.reduce(0) { $0 + ($1.layer?.workspaceCount(rows: rows) ?? 0) }
  }

  /// For weights that are packed for passes that use them again, at most.
  public var packedWeightCount: Int {
    stages.reduce(0) { $0 + ($1.layer?.packedWeightCount ?? 0) }
  }

  /// For the kernels, with batches of up to `rows`, cut into `shards` on all ranks together.
  public func scratch(rows: Int, shards: Int, threads: Int) -> ScratchNeed {
    // The loss adds one float a row.
    stages.reduce(into: .columnSums(1, shards: shards, threads: threads)) {
      if let layer = $1.layer {
        $0.add(layer.scratch(rows: rows, shards: shards, threads: threads))
      }
    }
  }
}
