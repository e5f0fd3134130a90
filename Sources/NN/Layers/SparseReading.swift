import Kernels

/// A layer that can be the first one over samples of which only some numbers are stored.
protocol SparseReading: Layer {
  /// Computes `y` from the stored elements of `x`.
  func forward(_ x: SparseMatrix, into y: Matrix, memory: LayerMemory, pass: Pass)

  /// Writes the gradients by the parameters. There is none by the input: nobody in front could use it.
  func backward(_ dy: Matrix, x: SparseMatrix, memory: LayerMemory, pass: Pass)
}

/// A model whose first layer cannot read sparse samples.
public struct SparseInputError: Error, Equatable, CustomStringConvertible {
  /// Number and kind, such as `0 (conv)`.
  public var layer: String

  public var description: String {
    "layer \(layer): the data are sparse, and only dense reads those: make it the first layer"
  }
}

extension NetworkPlan {
  /// - Throws: `SparseInputError` if a layer that cannot read sparse samples is given the input.
  public func requireSparseInput() throws {
    for stage in stages {
      let readsInput =
        switch stage.operation {
        case .layer: stage.input == 0
        case .sum(let addend): stage.input == 0 || addend == 0
        }
      if readsInput, !(stage.layer is any SparseReading) {
        throw SparseInputError(layer: "\(stage.number) (\(stage.kind))")
      }
    }
  }
}
