import Kernels

extension KernelCase {
  private static let images = 32

  /// Halves of LeNet's images, and of some with more channels; windows that overlap.
  static var poolings: [KernelCase] {
    [6, 64].flatMap { channels in
      PoolingPart.allCases.map { pooling($0, channels: channels, stride: 2) }
    } + [.maximumPool, .maximumPoolGradient].map { pooling($0, channels: 16, stride: 1) }
  }

  private enum PoolingPart: String, CaseIterable {
    case maximumPool, maximumPoolGradient, averagePool, averagePoolGradient
  }

  /// Windows of 2 x 2 pixels, `stride` pixels apart.
  private static func pooling(_ part: PoolingPart, channels: Int, stride: Int) -> KernelCase {
    let windows = ImageWindows(
      height: 28, width: 28, channels: channels, kernelHeight: 2, kernelWidth: 2, strideY: stride,
      strideX: stride)
    let extent = windows.outputWidth
    let large = images * windows.imageSize
    let small = images * windows.count * channels
    let places = part == .maximumPool || part == .maximumPoolGradient ? small : 0
    let bytes = 4 * (large + small + places)
    return KernelCase(
      group: .pooling, kernel: part.rawValue,
      shape: "\(images)x28x28x\(channels) 2x2" + (stride == 1 ? " overlapping" : ""),
      bytes: bytes, footprint: bytes
    ) { kernels in
      let isForward = part == .maximumPool || part == .averagePool
      let x = Operand<Float>(large, seed: 1)
      let y = Operand<Float>(small, seed: 2)
      let dx = Operand<Float>(results: isForward ? 0 : large)
      let outcome = Operand<Float>(results: small)
      let chosen = Operand<Int32>(small) { _ in 0 }
      let call: () -> Void
      switch part {
      case .maximumPool:
        let (x, y) = (x.matrix(images, large / images), outcome.matrix(images, small / images))
        call = { kernels.maximumPool(x, windows, into: y, places: chosen.base) }
      case .averagePool:
        let (x, y) = (x.matrix(images, large / images), outcome.matrix(images, small / images))
        call = { kernels.averagePool(x, windows, into: y) }
      case .maximumPoolGradient:
        let (dy, dx) = (y.matrix(images, small / images), dx.matrix(images, large / images))
        kernels.maximumPool(
          x.matrix(images, large / images), windows, into: outcome.matrix(images, small / images),
          places: chosen.base)
        call = { kernels.maximumPoolGradient(dy, windows, places: chosen.base, into: dx) }
      case .averagePoolGradient:
        let (dy, dx) = (y.matrix(images, small / images), dx.matrix(images, large / images))
        call = { kernels.averagePoolGradient(dy, windows, into: dx) }
      }
      /// Of a pixel: where its windows' results lie, and which of a window's pixels it is.
      func windowsOf(_ index: Int) -> [(result: Int, number: Int)] {
        let (channel, pixel) = (index % channels, index / channels)
        let (row, column, image) = (pixel / 28 % 28, pixel % 28, pixel / 784)
        return (0..<4).compactMap { number in
          let (y, x) = (row - number / 2, column - number % 2)
          guard y >= 0, x >= 0, y % stride == 0, x % stride == 0, y / stride < extent,
            x / stride < extent
          else { return nil }
          let place = (image * extent + y / stride) * extent + x / stride
          return (place * channels + channel, number)
        }
      }
      /// The pixels of a result's window.
      func pixels(_ index: Int) -> [Double] {
        let (channel, place) = (index % channels, index / channels)
        let image = place / (extent * extent)
        let (row, column) = (place / extent % extent * stride, place % extent * stride)
        return [0, 1, 28, 29].map {
          Double(x.base[((image * 28 + row) * 28 + column + $0) * channels + channel])
        }
      }
      let result = isForward ? outcome : dx
      return PreparedKernel(
        call: call, count: result.count, result: { Double(result.base[$0]) }
      ) { index in
        switch part {
        case .maximumPool: return .exactly(pixels(index).max()!)
        case .averagePool: return Expected(pixels(index).reduce(0, +) / 4, roundings: 4, scale: 1)
        case .maximumPoolGradient:
          let terms = windowsOf(index).map { result, number in
            let pixels = pixels(result)
            return pixels.firstIndex(of: pixels.max()!) == number ? Double(y.base[result]) : 0
          }
          let scale = terms.reduce(0) { $0 + abs($1) }
          return Expected(
            terms.reduce(0, +), roundings: stride == 1 ? terms.count : 0, scale: scale)
        case .averagePoolGradient:
          return .exactly(Double(y.base[windowsOf(index)[0].result]) / 4)
        }
      }
    }
  }
}
