import Kernels

/// One contiguous, 64-byte aligned buffer that holds all parameters, all gradients, or one optimizer
/// state; layers are offsets into it. Padding is zero and stays zero.
///
///     | tensor 0 | pad | tensor 1 | ... | tensor n | pad | tail |
public final class Slab {
  public let layout: SlabLayout
  /// Elements behind the tensors, for values that travel with them.
  public let tailCount: Int
  private let memory: AlignedBuffer

  public init(_ layout: SlabLayout, tail tailCount: Int = 0) {
    self.layout = layout
    self.tailCount = tailCount
    memory = AlignedBuffer(count: layout.count + tailCount)
  }

  public var base: UnsafeMutablePointer<Float> { memory.base }

  /// All tensors, padding included.
  public var tensors: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: memory.base, count: layout.count)
  }

  /// What lies behind the tensors.
  public var tail: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: memory.base + layout.count, count: tailCount)
  }

  /// Tensors and tail.
  public var all: UnsafeMutableBufferPointer<Float> { memory.elements }

  /// One tensor's elements.
  public func elements(of tensor: SlabLayout.Tensor) -> UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(rebasing: tensors[tensor.range])
  }
}
