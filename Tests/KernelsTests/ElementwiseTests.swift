import Testing

@testable import Kernels

/// Operations of one element at a time, in every kernel set.
///
/// Where one element is rounded once, the result is exact: Double holds the sum or product of two
/// Floats so closely that rounding it to Float is the correct rounding. Elsewhere each rounding may
/// cost one u = 2^-24 of what is rounded; they are counted at the test.
struct ElementwiseTests {
  @Test("add, scale and convert round once", arguments: InstructionSet.supported, sizes)
  func roundedOnce(instructions: InstructionSet, count: Int) {
    let kernels = KernelSet(instructions)
    let x = randomValues(count, 1)
    let y = randomValues(count, 2)

    var sum = y
    x.withUnsafeBufferPointer { x in sum.withUnsafeMutableBufferPointer { kernels.add(x, to: $0) } }
    #expect(sum == zip(x, y).map { Float(Double($0) + Double($1)) })

    var scaled = x
    scaled.withUnsafeMutableBufferPointer { kernels.scale($0, by: 0.3) }
    #expect(scaled == x.map { Float(Double($0) * Double(Float(0.3))) })

    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + 255) }
    let floats = Grid(rows: 1, columns: count) { y in
      bytes.withUnsafeBufferPointer { kernels.convert($0, factor: 1 / 255, into: y.base) }
    }
    #expect(floats.values == bytes.map { Float(Double($0) * Double(Float(1) / 255)) })
    if !bytes.isEmpty { #expect(floats.values[0] == 1) }
  }

  @Test("a bias is added to every row", arguments: InstructionSet.supported, sizes)
  func addBias(instructions: InstructionSet, columns: Int) {
    let kernels = KernelSet(instructions)
    let bias = randomValues(columns, 1)
    let x = Grid(rows: 3, columns: columns, random: 2)
    let y = Grid(rows: 3, columns: columns) { y in
      y.fill(x)
      bias.withUnsafeBufferPointer { kernels.addBias($0.baseAddress!, to: y) }
    }
    let expected = x.values.indices.map { x.values[$0] + bias[$0 % columns] }
    #expect(y.values == expected)
  }

  @Test("ReLU and its gradient choose elements", arguments: InstructionSet.supported, sizes)
  func relu(instructions: InstructionSet, count: Int) {
    let kernels = KernelSet(instructions)
    var x = Grid(rows: 1, columns: count, random: 1)
    let dy = Grid(rows: 1, columns: count, random: 2)
    if count > 2 { x.values[2] = 0 }
    let y = x.read { x in Grid(rows: 1, columns: count) { kernels.relu(x, into: $0) } }
    #expect(y.values == x.values.map { max($0, 0) })
    let dx = y.read { y in
      dy.read { dy in Grid(rows: 1, columns: count) { kernels.reluGradient(y, dy, into: $0) } }
    }
    #expect(dx.values == zip(x.values, dy.values).map { $0 > 0 ? $1 : 0 })
    // dx may be dy.
    let inPlace = y.read { y in
      Grid(rows: 1, columns: count) { dx in
        dx.fill(dy)
        kernels.reluGradient(y, dx, into: dx)
      }
    }
    #expect(inPlace == dx)
  }

  @Test("NaN and infinity come through", arguments: InstructionSet.supported, [0, 7, 16, 20])
  func nonFinite(instructions: InstructionSet, place: Int) {
    let kernels = KernelSet(instructions)
    func relu(_ value: Float) -> Float {
      var x = Grid(rows: 1, columns: 21, random: 1)
      x.values[place] = value
      return x.read { x in Grid(rows: 1, columns: 21) { kernels.relu(x, into: $0) } }
        .values[place]
    }
    #expect(relu(.nan).isNaN)
    #expect(relu(.infinity) == .infinity)
    #expect(relu(-.infinity) == 0)

    func gradient(y: Float, dy: Float) -> Float {
      var outputs = Grid(rows: 1, columns: 21, random: 1)
      var gradients = Grid(rows: 1, columns: 21, random: 2)
      outputs.values[place] = y
      gradients.values[place] = dy
      return outputs.read { y in
        gradients.read { dy in Grid(rows: 1, columns: 21) { kernels.reluGradient(y, dy, into: $0) }
        }
      }.values[place]
    }
    #expect(gradient(y: 1, dy: .nan).isNaN)
    #expect(gradient(y: 1, dy: -.infinity) == -.infinity)
    #expect(gradient(y: 0, dy: .nan) == 0)

    var sum = [Float](repeating: 1, count: 21)
    var x = sum
    x[place] = .nan
    x.withUnsafeBufferPointer { x in sum.withUnsafeMutableBufferPointer { kernels.add(x, to: $0) } }
    #expect(sum.indices.allSatisfy { $0 == place ? sum[$0].isNaN : sum[$0] == 2 })
    x.withUnsafeMutableBufferPointer { kernels.scale($0, by: 0) }
    #expect(x.indices.allSatisfy { $0 == place ? x[$0].isNaN : x[$0] == 0 })
  }

  /// The difference is rounded once, its product with the rounded share twice more: three u, and a
  /// fourth for their products. The loss has two roundings per square, one for every addition, and
  /// two for the share; all its terms are positive, so the errors stay relative.
  @Test("squared error is a mean, with its gradient", arguments: InstructionSet.supported, sizes)
  func squaredError(instructions: InstructionSet, columns: Int) {
    guard columns > 0 else { return }
    let kernels = KernelSet(instructions)
    let x = Grid(rows: 3, columns: columns, random: 1)
    let targets = Grid(rows: 3, columns: columns, random: 2)
    let (losses, gradient) = kernels.squaredError(x, targets: targets)
    for i in 0..<3 {
      var loss = 0.0
      for j in i * columns..<(i + 1) * columns {
        let difference = Double(x.values[j]) - Double(targets.values[j])
        loss += difference * difference / Double(columns)
        let exact = 2 * difference / Double(columns)
        let error = (Double(gradient.values[j]) - exact).magnitude
        #expect(error <= 4 * unitRoundoff * exact.magnitude)
      }
      let error = (Double(losses.values[i]) - loss).magnitude
      #expect(error <= Double(columns + 6) * unitRoundoff * loss)
    }
    // dx may be x.
    let inPlace = Grid(rows: 3, columns: columns) { dx in
      dx.fill(x)
      var losses: [Float] = [0, 0, 0]
      kernels.squaredError(dx, targets: targets.values, losses: &losses, into: dx)
    }
    #expect(inPlace == gradient)
  }
}
