import Kernels

// Shapes are rows x columns of the result x depth.

extension KernelCase {
  /// Those of Examples/fashion-mnist-mlp.yaml with 128 samples and with one, and a large one.
  static var products: [KernelCase] {
    let forward = [(128, 512, 784), (128, 256, 512), (128, 10, 256), (1, 512, 784)]
    let back = [(128, 512, 256), (128, 256, 10), (1, 512, 256)]
    let weights = [(784, 512, 128), (512, 256, 128), (256, 10, 128), (784, 512, 1)]
    let large = [(1024, 1024, 1024)]
    return (forward + large).map { product("product", $0, .plain) }
      + (forward + large).map { product("product/packed", $0, .packed) }
      + forward.map { product("product/packed/bias-relu", $0, .packedBiasReLU) }
      + (back + large).map { product("productWithTranspose", $0, .rightTransposed) }
      + back.map { product("productWithTranspose/relu-gradient", $0, .rightTransposedReLUGradient) }
      + (weights + large).map { product("productOfTranspose", $0, .leftTransposed(shards: 1)) }
      + weights.dropLast().map {
        product("productOfTranspose/8-shards", $0, .leftTransposed(shards: 8))
      }
      + [packing("pack", (784, 512), transposed: false)]
      + [packing("packTranspose", (512, 256), transposed: true)]
  }

  private enum Form {
    case plain, packed, packedBiasReLU, rightTransposed, rightTransposedReLUGradient
    case leftTransposed(shards: Int)
  }

  private static func product(
    _ kernel: String, _ shape: (rows: Int, columns: Int, depth: Int), _ form: Form
  ) -> KernelCase {
    let (m, n, k) = shape
    let bytes = 4 * (m * k + k * n + m * n)
    return KernelCase(
      group: .product, kernel: kernel, shape: "\(m)x\(n)x\(k)",
      flops: 2 * Double(m) * Double(n) * Double(k), bytes: bytes, footprint: bytes
    ) { kernels in
      let left = Operand<Float>(m * k, seed: 1)
      let right = Operand<Float>(k * n, seed: 2)
      let result = Operand<Float>(results: m * n)
      let y = result.matrix(m, n)
      let bias = Operand<Float>(n, seed: 3)
      let output = Operand<Float>(m * n, seed: 4)
      // Distances of elements in memory, along rows or columns of the result and along the depth.
      var (leftSteps, rightSteps) = ((k, 1), (1, n))
      let call: () -> Void
      switch form {
      case .plain:
        let (x, w) = (left.matrix(m, k), right.matrix(k, n))
        call = { kernels.product(x, w, into: y) }
      case .packed, .packedBiasReLU:
        let x = left.matrix(m, k)
        let w = PackedMatrix(depth: k, columns: n, for: kernels)
        w.pack(right.matrix(k, n))
        if case .packed = form {
          call = { kernels.product(x, w, into: y) }
        } else {
          call = { kernels.product(x, w, into: y, from: .bias(bias.base), then: .relu) }
        }
      case .rightTransposed, .rightTransposedReLUGradient:
        rightSteps = (k, 1)
        let (dy, w) = (left.matrix(m, k), right.matrix(n, k))
        if case .rightTransposed = form {
          call = { kernels.productWithTranspose(dy, w, into: y) }
        } else {
          let finish = SumFinish.reluGradient(output.matrix(m, n))
          call = { kernels.productWithTranspose(dy, w, into: y, then: finish) }
        }
      case .leftTransposed(let shards):
        leftSteps = (1, m)
        let (x, dy) = (left.matrix(k, m), right.matrix(k, n))
        let rows = ShardRows(first: 0, ends: (1...shards).map { $0 * k / shards })
        call = { kernels.productOfTranspose(x, dy, over: rows, into: y) }
      }
      return PreparedKernel(call: call, count: m * n, result: { Double(result.base[$0]) }) {
        let (i, j) = ($0 / n, $0 % n)
        var (sum, scale) = (0.0, 0.0)
        if case .packedBiasReLU = form {
          sum = Double(bias.base[j])
          scale = abs(sum)
        }
        for d in 0..<k {
          let product =
            Double(left.base[i * leftSteps.0 + d * leftSteps.1])
            * Double(right.base[j * rightSteps.0 + d * rightSteps.1])
          sum += product
          scale += abs(product)
        }
        switch form {
        case .packedBiasReLU: sum = max(sum, 0)
        case .rightTransposedReLUGradient: if output.base[$0] <= 0 { return .exactly(0) }
        case .plain, .packed, .rightTransposed, .leftTransposed: break
        }
        // A rounding for each product and for each sum, where they are not fused.
        return Expected(sum, roundings: 2 * k, scale: scale)
      }
    }
  }

  /// Packing alone; seen through products with it.
  private static func packing(
    _ kernel: String, _ shape: (rows: Int, columns: Int), transposed: Bool
  ) -> KernelCase {
    let (rows, columns) = shape
    let bytes = 8 * rows * columns
    return KernelCase(
      group: .product, kernel: kernel, shape: "\(rows)x\(columns)", bytes: bytes, footprint: bytes
    ) { kernels in
      let w = Operand<Float>(rows * columns, seed: 3)
      let matrix = w.matrix(rows, columns)
      let (k, n) = transposed ? (columns, rows) : (rows, columns)
      let packed = PackedMatrix(depth: k, columns: n, for: kernels)
      let unit = Operand<Float>(k) { $0 == 0 ? 1 : 0 }
      let row = Operand<Float>(results: n)
      return PreparedKernel(
        call: { transposed ? packed.packTranspose(matrix) : packed.pack(matrix) }, count: k * n,
        result: { index in
          unit.elements.update(repeating: 0)
          unit.base[index / n] = 1
          kernels.product(unit.matrix(1, k), packed, into: row.matrix(1, n))
          return Double(row.base[index % n])
        }
      ) {
        let (d, j) = ($0 / n, $0 % n)
        return .exactly(Double(w.base[transposed ? j * columns + d : d * columns + j]))
      }
    }
  }
}
