import CAllocations
import Kernels
import MPI

/// Operations that threads share take nothing from the heap once every thread has had a part.
func threadAllocationsCase(_ world: Communicator) throws {
  guard CAllocations_areCounted() else { return }
  let kernels = KernelSet(InstructionSet.supported.last!, threads: 2)
  try expect(kernels.threads == 2, "there is no second thread")
  let (rows, inputs, outputs) = (256, 512, 384)
  func matrix(_ rows: Int, _ columns: Int) -> Matrix {
    let base = UnsafeMutablePointer<Float>.allocate(capacity: rows * columns)
    base.initialize(repeating: 0.5, count: rows * columns)
    return Matrix(base, rows: rows, columns: columns)
  }
  let (x, w, y) = (matrix(rows, inputs), matrix(inputs, outputs), matrix(rows, outputs))
  let (dx, dw) = (matrix(rows, inputs), matrix(inputs, outputs))
  let windows = ImageWindows(
    height: 16, width: 16, channels: 2, kernelHeight: 3, kernelWidth: 3,
    padding: .init(top: 1, left: 1, bottom: 1, right: 1))
  let (filters, images) = (matrix(windows.patchSize, 8), matrix(rows, windows.count * 8))
  let pooled = matrix(rows, windows.imageSize)
  let places = UnsafeMutablePointer<Int32>.allocate(capacity: pooled.count)
  defer {
    for matrix in [x, w, y, dx, dw, filters, images, pooled] { matrix.base.deallocate() }
    places.deallocate()
  }
  let shards = ShardRows(first: 0, ends: [64, 128, 192, 256])
  let operations: [(String, () -> Void)] = [
    ("product", { kernels.product(x, w, into: y, then: .relu) }),
    ("product with transpose", { kernels.productWithTranspose(y, w, into: dx) }),
    ("product of transpose", { kernels.productOfTranspose(x, y, over: shards, into: dw) }),
    ("activation", { kernels.gelu(x, into: dx) }),
    ("softmax", { kernels.softmax(x, into: dx) }),
    ("convolution", { kernels.convolution(x, filters, windows, into: images) }),
    (
      "gradient by images",
      { kernels.convolutionGradient(byImagesOf: images, filters, windows, into: dx) }
    ),
    ("pooling", { kernels.maximumPool(x, windows, into: pooled, places: places) }),
    (
      "update",
      {
        kernels.descend(
          w.elements, gradients: UnsafeBufferPointer(dw.elements), GradientTerms(scale: 1),
          rate: 1e-9)
      }
    ),
  ]
  // A thread takes its scratch at its first part of an operation, and on a busy machine it may be
  // some calls until it comes to have one.
  for (name, run) in operations {
    var (calls, calm) = (0, 0)
    while calm < 100 {
      let before = CAllocations_count()
      run()
      calm = CAllocations_count() == before ? calm + 1 : 0
      calls += 1
      try expect(calls < 3000, "\(name): among \(calls) calls no 100 in a row took nothing")
    }
  }
}
