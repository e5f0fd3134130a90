import Kernels

/// One contiguous, 64-byte aligned buffer that holds all parameters, all gradients, or one
/// optimizer state; layers are offsets into it. Padding is zero and stays zero.
///
///     | tensor 0 | pad | tensor 1 | ... | tensor n | pad | tail |
public final class Slab {
  public let layout: SlabLayout
  /// Elements behind the tensors, for values that travel with them.
  public let tailCount: Int
  /// Tensors and tail.
  public let all: UnsafeMutableBufferPointer<Float>
  /// The memory, if it is the slab's own.
  private let memory: AlignedBuffer?

  public init(_ layout: SlabLayout, tail tailCount: Int = 0) {
    self.layout = layout
    self.tailCount = tailCount
    let memory = AlignedBuffer(count: layout.count + tailCount)
    self.memory = memory
    all = memory.elements
  }

  /// A slab in memory that somebody else owns, such as that which the ranks of a node share.
  /// - Parameter memory: zero, 64-byte aligned; what `layout` does not need of it is the tail.
  public init(_ layout: SlabLayout, in memory: UnsafeMutableBufferPointer<Float>) {
    precondition(memory.count >= layout.count)
    precondition(Int(bitPattern: memory.baseAddress) % AlignedBuffer.alignment == 0)
    self.layout = layout
    self.memory = nil
    tailCount = memory.count - layout.count
    all = memory
  }

  public var base: UnsafeMutablePointer<Float> { all.baseAddress! }

  /// All tensors, padding included.
  public var tensors: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: base, count: layout.count)
  }

  /// What lies behind the tensors.
  public var tail: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: base + layout.count, count: tailCount)
  }

  /// One tensor's elements.
  public func elements(of tensor: SlabLayout.Tensor) -> UnsafeMutableBufferPointer<Float> {
    elements(in: tensor.range)
  }

  /// The elements of a range of the tensors.
  func elements(in range: Range<Int>) -> UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(rebasing: tensors[range])
  }
}
