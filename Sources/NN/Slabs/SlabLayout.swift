import Kernels

/// Where each tensor of a network lies in a slab: the layers' parameters in order, each from a
/// cache line's start. Parameters, gradients and optimizer states share one layout.
public struct SlabLayout: Equatable, Sendable {
  public struct Tensor: Equatable, Sendable {
    /// Layer and parameter, such as `0.dense.weight`.
    public var name: String
    public var shape: Shape
    /// Elements from the slab's start.
    public var offset: Int

    public var range: Range<Int> { offset..<offset + shape.count }
  }

  public private(set) var tensors: [Tensor] = []
  /// Elements of the slab, padding included.
  public private(set) var count = 0

  public init() {}

  /// Elements per cache line.
  static let alignment = AlignedBuffer.alignment / MemoryLayout<Float>.stride

  /// Places another tensor behind the others.
  package mutating func append(name: String, shape: Shape) {
    tensors.append(Tensor(name: name, shape: shape, offset: count))
    count += (shape.count + SlabLayout.alignment - 1) / SlabLayout.alignment * SlabLayout.alignment
  }

  /// Elements that belong to tensors.
  public var parameterCount: Int { tensors.reduce(0) { $0 + $1.shape.count } }
}
