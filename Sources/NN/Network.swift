import Kernels

/// Layers in a row, with their parameters, gradients and activations: one rank's copy of the model.
///
/// Memory is allocated here, for the largest batch, and never again.
public final class Network {
  public let layers: [any Layer]
  public let layout: SlabLayout
  public let parameters: Slab
  /// What `backward` writes; behind it `gradientTail` elements that travel with it.
  public let gradients: Slab

  /// Rows of the largest batch.
  public let maximumRows: Int

  private let weights: [[UnsafeMutablePointer<Float>]]
  private let weightGradients: [[UnsafeMutablePointer<Float>]]
  /// Outputs of each layer.
  private let activations: [AlignedBuffer]
  /// Gradients by a layer's output and input, in turns.
  private let outputGradients: (AlignedBuffer, AlignedBuffer)

  /// - Parameter gradientMemory: makes zero, 64-byte aligned memory for so many gradients and their
  ///   tail; the network's own if not given.
  public init(
    _ specifications: [LayerSpecification], inputShape: Shape, maximumRows: Int,
    gradientTail: Int = 0,
    gradientMemory: ((Int) throws -> UnsafeMutableBufferPointer<Float>)? = nil
  ) rethrows {
    precondition(!specifications.isEmpty && maximumRows >= 0)
    var layers: [any Layer] = []
    for specification in specifications {
      layers.append(
        specification.layer(inputShape: layers.last?.outputShape ?? inputShape))
    }
    var layout = SlabLayout()
    var firstTensor: [Int] = []
    for (number, layer) in layers.enumerated() {
      firstTensor.append(layout.tensors.count)
      for parameter in layer.parameters {
        layout.append(name: "\(number).\(layer.kind).\(parameter.name)", shape: parameter.shape)
      }
    }
    let parameters = Slab(layout)
    let gradients =
      try gradientMemory.map { Slab(layout, in: try $0(layout.count + gradientTail)) }
      ?? Slab(layout, tail: gradientTail)
    func pointers(_ slab: Slab) -> [[UnsafeMutablePointer<Float>]] {
      layers.enumerated().map { number, layer in
        layer.parameters.indices.map {
          slab.base + layout.tensors[firstTensor[number] + $0].offset
        }
      }
    }
    self.layers = layers
    self.layout = layout
    self.parameters = parameters
    self.gradients = gradients
    self.maximumRows = maximumRows
    weights = pointers(parameters)
    weightGradients = pointers(gradients)
    activations = layers.map { AlignedBuffer(count: maximumRows * $0.outputShape.count) }
    let widest = layers.map(\.outputShape.count).max()!
    outputGradients = (
      AlignedBuffer(count: maximumRows * widest), AlignedBuffer(count: maximumRows * widest)
    )
  }

  public var inputShape: Shape { layers[0].inputShape }
  public var outputShape: Shape { layers.last!.outputShape }

  /// Where layer `number`'s gradients start: once `backward` has passed it, all behind are filled.
  public func gradientOffset(ofLayer number: Int) -> Int {
    weightGradients[number].first.map { $0 - gradients.base }
      ?? (number + 1 < layers.count ? gradientOffset(ofLayer: number + 1) : layout.count)
  }

  /// Sets the parameters to what `seed` says, on any rank.
  public func initialize(seed: UInt64) {
    let initializers = layers.flatMap { $0.parameters.map(\.initializer) }
    for (instance, (initializer, tensor)) in zip(initializers, layout.tensors).enumerated() {
      initializer.fill(parameters.elements(of: tensor), seed: seed, instance: instance)
    }
  }

  /// Computes the outputs (rows x outputShape.count) for inputs (rows x inputShape.count). They
  /// stay until the next pass.
  public func forward(_ inputs: Matrix, pass: Pass) -> Matrix {
    precondition(inputs.rows <= maximumRows && inputs.columns == inputShape.count)
    var x = inputs
    for number in layers.indices {
      let y = activation(number, rows: x.rows)
      layers[number].forward(x, into: y, weights: weights[number], pass: pass)
      x = y
    }
    return x
  }

  /// Where the gradient by the outputs has to be written before `backward` starts.
  public func outputGradient(rows: Int) -> Matrix { outputGradient(layers.count - 1, rows: rows) }

  /// Passes the gradient back through layer `number`. Call it from the last layer to the first.
  /// - Parameter inputs: what `forward` was given.
  public func backward(throughLayer number: Int, inputs: Matrix, pass: Pass) {
    let isFirst = number == 0
    layers[number].backward(
      outputGradient(number, rows: inputs.rows),
      x: isFirst ? inputs : activation(number - 1, rows: inputs.rows),
      y: activation(number, rows: inputs.rows),
      into: isFirst ? nil : outputGradient(number - 1, rows: inputs.rows),
      weights: weights[number], gradients: weightGradients[number], pass: pass)
  }

  private func activation(_ number: Int, rows: Int) -> Matrix {
    Matrix(activations[number].base, rows: rows, columns: layers[number].outputShape.count)
  }

  /// The gradient by layer `number`'s output.
  private func outputGradient(_ number: Int, rows: Int) -> Matrix {
    let buffer = number.isMultiple(of: 2) ? outputGradients.0 : outputGradients.1
    return Matrix(buffer.base, rows: rows, columns: layers[number].outputShape.count)
  }
}
