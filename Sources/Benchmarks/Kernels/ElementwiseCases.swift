import Kernels

extension KernelCase {
  /// Operands in the cache, then in memory.
  static func elementwise(_ sizes: KernelSizes) -> [KernelCase] {
    sizes.counts(bytesPerIndex: 8).flatMap { [add($0), scale($0), relu($0)] }
      + sizes.counts(bytesPerIndex: 12).map { reluGradient($0, inPlace: false) }
      + sizes.counts(bytesPerIndex: 8).map { reluGradient($0, inPlace: true) }
      + sizes.counts(bytesPerIndex: 5).map(convertBytes)
      + [addBias(rows: 128, columns: 512), addBias(rows: 25088, columns: 6)]
      + [(128, 512), (25088, 6)].flatMap { rows, columns in
        [1, 8].map { sumRows(rows: rows, columns: columns, shards: $0) }
      }
  }

  private static func add(_ count: Int) -> KernelCase {
    KernelCase(
      group: .elementwise, kernel: "add", shape: "\(count)", bytes: 12 * count,
      footprint: 8 * count
    ) { kernels in
      let x = Operand<Float>(count, seed: 1)
      let y = Operand<Float>(count, seed: 2)
      return PreparedKernel(
        call: { kernels.add(x.readOnly, to: y.elements) }, count: count,
        result: { Double(y.base[$0]) }
      ) { .exactly(Double(y.original($0) + x.base[$0])) }
    }
  }

  private static func scale(_ count: Int) -> KernelCase {
    KernelCase(
      group: .elementwise, kernel: "scale", shape: "\(2 * count)", bytes: 16 * count,
      footprint: 8 * count
    ) { kernels in
      let y = Operand<Float>(2 * count, seed: 1)
      // Of magnitude one: numbers stay what they are, call after call.
      return PreparedKernel(
        call: { kernels.scale(y.elements, by: -1) }, count: 2 * count,
        result: { Double(y.base[$0]) }
      ) { .exactly(-Double(y.original($0))) }
    }
  }

  private static func relu(_ count: Int) -> KernelCase {
    KernelCase(
      group: .elementwise, kernel: "relu", shape: "\(count)", bytes: 8 * count,
      footprint: 8 * count
    ) { kernels in
      let x = Operand<Float>(count, seed: 1)
      let y = Operand<Float>(results: count)
      return PreparedKernel(
        call: { kernels.relu(x.matrix(1, count), into: y.matrix(1, count)) }, count: count,
        result: { Double(y.base[$0]) }
      ) { .exactly(max(Double(x.base[$0]), 0)) }
    }
  }

  /// In place, as networks call it: the gradient by the inputs lies where that by the outputs was.
  private static func reluGradient(_ count: Int, inPlace: Bool) -> KernelCase {
    KernelCase(
      group: .elementwise, kernel: "reluGradient" + (inPlace ? "/in-place" : ""),
      shape: "\(count)", bytes: 12 * count, footprint: (inPlace ? 8 : 12) * count
    ) { kernels in
      let y = Operand<Float>(count, seed: 1)
      let dy = Operand<Float>(count, seed: 2)
      let dx = inPlace ? dy : Operand<Float>(results: count)
      return PreparedKernel(
        call: {
          kernels.reluGradient(
            y.matrix(1, count), dy.matrix(1, count), into: dx.matrix(1, count))
        }, count: count, result: { Double(dx.base[$0]) }
      ) { .exactly(y.base[$0] > 0 ? Double(dy.original($0)) : 0) }
    }
  }

  private static func convertBytes(_ count: Int) -> KernelCase {
    KernelCase(
      group: .elementwise, kernel: "convert/bytes", shape: "\(count)", bytes: 5 * count,
      footprint: 5 * count
    ) { kernels in
      let x = Operand<UInt8>(count) { UInt8(truncatingIfNeeded: $0 * 37) }
      let y = Operand<Float>(results: count)
      return PreparedKernel(
        call: { kernels.convert(x.readOnly, factor: 0x1p-8, into: y.base) }, count: count,
        result: { Double(y.base[$0]) }
      ) { .exactly(Double(x.base[$0]) / 256) }
    }
  }

  private static func addBias(rows: Int, columns: Int) -> KernelCase {
    let count = rows * columns
    return KernelCase(
      group: .elementwise, kernel: "addBias", shape: "\(rows)x\(columns)", bytes: 8 * count,
      footprint: 4 * count
    ) { kernels in
      let bias = Operand<Float>(columns, seed: 1)
      let y = Operand<Float>(count, seed: 2)
      return PreparedKernel(
        call: { kernels.addBias(bias.base, to: y.matrix(rows, columns)) }, count: count,
        result: { Double(y.base[$0]) }
      ) { .exactly(Double(y.original($0) + bias.base[$0 % columns])) }
    }
  }

  private static func sumRows(rows: Int, columns: Int, shards: Int) -> KernelCase {
    let bytes = 4 * rows * columns
    return KernelCase(
      group: .elementwise, kernel: shards == 1 ? "sumRows" : "sumRows/\(shards)-shards",
      shape: "\(rows)x\(columns)", bytes: bytes, footprint: bytes
    ) { kernels in
      let x = Operand<Float>(rows * columns, seed: 1)
      let sums = Operand<Float>(results: columns)
      let run = ShardRows(first: 0, ends: (1...shards).map { $0 * rows / shards })
      return PreparedKernel(
        call: { kernels.sumRows(x.matrix(rows, columns), over: run, into: sums.base) },
        count: columns, result: { Double(sums.base[$0]) }
      ) { column in
        let terms = (0..<rows).map { Double(x.base[$0 * columns + column]) }
        return Expected(
          terms.reduce(0, +), roundings: rows, scale: terms.reduce(0) { $0 + abs($1) })
      }
    }
  }
}
