import Testing

@testable import Kernels

/// Windows over images, held against their definition, pixel by pixel.
struct PoolingTests {
  @Test("patches are gathered as the definition says", arguments: InstructionSet.supported)
  func gather(instructions: InstructionSet) {
    let table = KernelSet(instructions).table.images
    var draws = Draws(5)
    for (number, windows) in ImageWindows.random(150, number: 31).enumerated() {
      let x = Grid(rows: 2, columns: windows.imageSize, random: number)
      let patches = windows.patches(x)
      let first = draws.next(in: 0...patches.rows - 1)
      let last = draws.next(in: first...patches.rows - 1)
      let from = draws.next(in: 0...windows.patchSize - 1)
      let to = draws.next(in: from + 1...windows.patchSize)
      let rows = last - first + 1
      let padded = AlignedBuffer(count: windows.paddedSize + table.slack)
      let block = AlignedBuffer(count: rows * (to - from) + table.slack)
      x.read { x in
        withUnsafePointer(to: windows.raw) {
          table.gather($0, first, rows, from, to, x.base, padded.base, block.base, to - from)
        }
      }
      let expected = (first...last).flatMap { row in
        patches.values[row * patches.columns + from..<row * patches.columns + to]
      }
      #expect(
        difference(Array(block.elements.prefix(expected.count)), expected) == nil, "\(windows)")
    }
  }

  @Test("patches are scattered to where they come from", arguments: InstructionSet.supported)
  func scatter(instructions: InstructionSet) {
    let table = KernelSet(instructions).table.images
    for (number, windows) in ImageWindows.random(150, number: 32).enumerated() {
      // Small integers: sums are exact.
      let rows = 2 * windows.count
      let patches = Grid(
        rows: rows, columns: windows.patchSize,
        (0..<rows * windows.patchSize).map { Float(($0 * 7 + number) % 101) })
      var expected = [Float](repeating: 1, count: 2 * windows.imageSize)
      for image in 0..<2 {
        windows.forEachPixel { window, pixel, index in
          for c in 0..<windows.channels {
            guard let target = index(c) else { continue }
            expected[image * windows.imageSize + target] +=
              patches.values[
                (image * windows.count + window) * windows.patchSize + pixel * windows.channels
                  + c]
          }
        }
      }
      let images = Grid(rows: 2, columns: windows.imageSize) { images in
        images.elements.update(repeating: 1)
        patches.read { patches in
          withUnsafePointer(to: windows.raw) {
            table.scatter($0, 0, rows, patches.base, patches.columns, images.base)
          }
        }
      }
      #expect(difference(images.values, expected) == nil, "\(windows)")
    }
  }

  @Test(
    "the largest elements of windows, and the gradient to where they are",
    arguments: InstructionSet.supported)
  func maximum(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    let cases = ImageWindows.random(150, number: 33) + ImageWindows.tiles
    for (number, windows) in cases.enumerated() {
      // Few different values, so that there are equal ones.
      let values = (0..<3 * windows.imageSize).map { Float(($0 * 31 + number) % 5 - 7) }
      let x = Grid(rows: 3, columns: windows.imageSize, values)
      let dy = Grid(
        rows: 3, columns: windows.count * windows.channels,
        (0..<3 * windows.count * windows.channels).map { Float($0 % 13) })
      var best = [Float](repeating: -.infinity, count: dy.values.count)
      var source = [Int](repeating: -1, count: dy.values.count)
      for image in 0..<3 {
        windows.forEachPixel { window, _, index in
          for c in 0..<windows.channels {
            let output = (image * windows.count + window) * windows.channels + c
            guard let input = index(c).map({ image * windows.imageSize + $0 }) else { continue }
            if values[input] > best[output] {
              (best[output], source[output]) = (values[input], input)
            }
          }
        }
      }
      var expected = [Float](repeating: 0, count: values.count)
      for (output, input) in source.enumerated() { expected[input] += dy.values[output] }
      let (y, dx) = kernels.maximumPool(x, windows, dy)
      #expect(difference(y.values, best) == nil, "\(windows)")
      #expect(difference(dx.values, expected) == nil, "\(windows)")
    }
  }

  @Test(
    "behind a ReLU, the gradient of pooling is that of both", arguments: InstructionSet.supported)
  func maximumBehindReLU(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    for (number, windows) in ImageWindows.tiles.enumerated() where windows.areSquares {
      // Windows with and without positive elements.
      let input = Grid(rows: 2, columns: windows.imageSize, random: number)
      let x = Grid(rows: 2, columns: windows.imageSize, input.values.map { max(0, $0 - 0.5) })
      let dy = Grid(rows: 2, columns: windows.count * windows.channels, random: number + 100)
      let (y, dx) = kernels.maximumPool(x, windows, dy, isReLU: true)
      let apart = kernels.maximumPool(x, windows, dy)
      #expect(difference(y.bits, apart.y.bits) == nil, "\(windows)")
      let expected = zip(apart.dx.values, x.values).map { $1 > 0 ? $0 : 0 }
      #expect(difference(dx.values, expected) == nil, "\(windows)")
    }
  }

  @Test("the means of windows, and the shares of their pixels", arguments: InstructionSet.supported)
  func average(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    for (number, windows) in ImageWindows.random(150, number: 34).enumerated() {
      let x = Grid(rows: 3, columns: windows.imageSize, random: 2 * number)
      let dy = Grid(rows: 3, columns: windows.count * windows.channels, random: 2 * number + 1)
      var sums = [Double](repeating: 0, count: dy.values.count)
      var pixels = [Int](repeating: 0, count: 3 * windows.count)
      for image in 0..<3 {
        windows.forEachPixel { window, _, index in
          guard index(0) != nil else { return }
          pixels[image * windows.count + window] += 1
          for c in 0..<windows.channels {
            sums[(image * windows.count + window) * windows.channels + c] +=
              Double(x.values[image * windows.imageSize + index(c)!])
          }
        }
      }
      var gradient = [Double](repeating: 0, count: x.values.count)
      for image in 0..<3 {
        windows.forEachPixel { window, _, index in
          for c in 0..<windows.channels {
            guard let input = index(c) else { continue }
            let output = (image * windows.count + window) * windows.channels + c
            gradient[image * windows.imageSize + input] +=
              Double(dy.values[output]) / Double(pixels[image * windows.count + window])
          }
        }
      }
      let (y, dx) = kernels.averagePool(x, windows, dy)
      // At most 25 elements below 1 are added up; one rounding each, and those of the share.
      let bound = 27 * 25 * unitRoundoff
      for (output, sum) in sums.enumerated() {
        let mean = sum / Double(pixels[output / windows.channels])
        #expect(abs(Double(y.values[output]) - mean) <= bound, "\(windows)")
      }
      for (input, sum) in gradient.enumerated() {
        #expect(abs(Double(dx.values[input]) - sum) <= bound, "\(windows)")
      }
    }
  }

  @Test(
    "NaN and infinity come through pooling", arguments: InstructionSet.supported, [1, 3, 16, 17])
  func nonFinite(instructions: InstructionSet, channels: Int) {
    let kernels = KernelSet(instructions)
    let windows = ImageWindows(
      height: 2, width: 6, channels: channels, kernelHeight: 2, kernelWidth: 2, strideY: 2,
      strideX: 2)
    let pixels: [Float] = [
      1, .nan, -.infinity, -.infinity, .infinity, 4, 2, .nan, -.infinity, -.infinity, 5, 6,
    ]
    func eachChannel(_ values: [Float]) -> Grid {
      Grid(
        rows: 1, columns: values.count * channels,
        values.flatMap { [Float](repeating: $0, count: channels) })
    }
    let (x, dy) = (eachChannel(pixels), eachChannel([1, 2, 3]))
    let (y, dx) = kernels.maximumPool(x, windows, dy)
    let means = kernels.averagePool(x, windows, dy).y
    for grid in [y, means] {
      for c in 0..<channels {
        #expect(grid.values[c].isNaN && grid.values[channels + c] == -.infinity)
        #expect(grid.values[2 * channels + c] == .infinity)
      }
    }
    #expect(dx == eachChannel([0, 1, 2, 0, 3, 0, 0, 0, 0, 0, 0, 0]))
  }

  @Test("windows stay in bounds", arguments: InstructionSet.supported, Fences.Side.allCases)
  func bounds(instructions: InstructionSet, side: Fences.Side) {
    let kernels = KernelSet(instructions)
    let cases = ImageWindows.random(60, number: 35) + ImageWindows.tiles
    for (number, windows) in cases.enumerated() {
      let x = Grid(rows: 2, columns: windows.imageSize, random: number)
      let results = windows.count * windows.channels
      let dy = Grid(rows: 2, columns: results, random: number + 1)
      Fences.with(side) { fences in
        let places = fences.output([Int32](repeating: 0, count: 2 * results))
        let y = fences.output(rows: 2, columns: results)
        let dx = fences.output(rows: 2, columns: windows.imageSize)
        kernels.maximumPool(fences.input(x), windows, into: y, places: places)
        kernels.maximumPoolGradient(fences.input(dy), windows, places: places, into: dx)
        kernels.averagePool(fences.input(x), windows, into: y)
        kernels.averagePoolGradient(fences.input(dy), windows, into: dx)
        let rows = 2 * windows.count
        let table = kernels.table.images
        let block = fences.output(rows * windows.patchSize + table.slack)
        let padded = fences.output(windows.paddedSize + table.slack)
        withUnsafePointer(to: windows.raw) { raw in
          table.gather(
            raw, 0, rows, 0, windows.patchSize, fences.input(x).base, padded, block,
            windows.patchSize)
          table.scatter(raw, 0, rows, block, windows.patchSize, dx.base)
        }
      }
    }
  }
}

extension KernelSet {
  fileprivate func maximumPool(
    _ x: Grid, _ windows: ImageWindows, _ dy: Grid, isReLU: Bool = false
  ) -> (y: Grid, dx: Grid) {
    var places = [Int32](repeating: -1, count: dy.values.count)
    let y = x.read { x in
      Grid(rows: dy.rows, columns: dy.columns) {
        self.maximumPool(x, windows, into: $0, places: &places, isReLU: isReLU)
      }
    }
    let dx = dy.read { dy in
      Grid(rows: x.rows, columns: x.columns) {
        self.maximumPoolGradient(dy, windows, places: places, into: $0)
      }
    }
    return (y, dx)
  }

  fileprivate func averagePool(_ x: Grid, _ windows: ImageWindows, _ dy: Grid) -> (
    y: Grid, dx: Grid
  ) {
    let y = x.read { x in
      Grid(rows: dy.rows, columns: dy.columns) { self.averagePool(x, windows, into: $0) }
    }
    let dx = dy.read { dy in
      Grid(rows: x.rows, columns: x.columns) { self.averagePoolGradient(dy, windows, into: $0) }
    }
    return (y, dx)
  }
}
