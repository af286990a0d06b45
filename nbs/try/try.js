// Classifies a picture in the browser, as `predict` does in Python: middle square, 32x32, probabilities. Sends nothing.
const page = document.querySelector('#photo')
const find = selector => page.querySelector(selector)
const here = name => new URL(name, import.meta.url).href

async function load() {
  const about = await (await fetch(here('model.json'))).json()
  const ort = await import(here('ort.wasm.bundle.min.mjs'))
  ort.env.wasm.numThreads = 1
  return { ...about, ort, session: await ort.InferenceSession.create(here('small.onnx')) }
}
let network  // loads with the first picture

// The middle square of a picture, on white where it is transparent: RGBA bytes, and its side.
function middleSquare(image) {
  const side = Math.min(image.width, image.height)
  const canvas = Object.assign(document.createElement('canvas'), { width: side, height: side })
  const context = canvas.getContext('2d', { willReadFrequently: true })
  context.fillStyle = 'white'
  context.fillRect(0, 0, side, side)
  context.drawImage(image, Math.round((side - image.width) / 2), Math.round((side - image.height) / 2))
  return [context.getImageData(0, 0, side, side).data, side]
}

// For each of `size` places, where its pixels begin among `side`, and their weights: Pillow's bicubic filter, antialiased.
function filter(side, size) {
  const scale = side / size, width = Math.max(scale, 1)
  const cubic = x => x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-.5 * x + 2.5) * x - 4) * x + 2 : 0
  return Array.from({ length: size }, (_, place) => {
    const center = (place + .5) * scale
    const first = Math.max(0, Math.trunc(center - 2 * width + .5))
    const last = Math.min(side, Math.trunc(center + 2 * width + .5))
    const weights = Array.from({ length: last - first }, (_, i) => cubic(Math.abs(first + i - center + .5) / width))
    const sum = weights.reduce((a, b) => a + b)
    return [first, weights.map(weight => weight / sum)]
  })
}

// RGBA bytes of a square, made `size` pixels wide, then transposed; twice makes a picture smaller.
function squeeze(pixels, rows, side, size) {
  const made = new Uint8ClampedArray(size * rows * 4), places = filter(side, size)
  for (let row = 0; row < rows; row++)
    places.forEach(([first, weights], place) => {
      for (let channel = 0; channel < 4; channel++) {
        let sum = 0
        weights.forEach((weight, i) => { sum += weight * pixels[(row * side + first + i) * 4 + channel] })
        made[(place * rows + row) * 4 + channel] = sum
      }
    })
  return made
}

async function classify(file) {
  find('.state').textContent = network ? '' : 'Loading the network and ONNX Runtime …'
  network ??= load()
  network.catch(() => { network = undefined })
  const [image, { ort, session, size, classes }] = await Promise.all([createImageBitmap(file), network])
  const [pixels, side] = middleSquare(image)
  const small = side === size ? pixels : squeeze(squeeze(pixels, side, side, size), size, side, size)
  const values = Float32Array.from({ length: 3 * size * size }, (_, i) => small[i % (size * size) * 4 + Math.trunc(i / (size * size))])
  const answer = await session.run({ [session.inputNames[0]]: new ort.Tensor('float32', values, [1, 3, size, size]) })
  show(new ImageData(small, size), classes, [...answer[session.outputNames[0]].data])
}

function show(picture, classes, probabilities) {
  Object.assign(find('canvas'), { width: picture.width, height: picture.height }).getContext('2d').putImageData(picture, 0, 0)
  const best = classes.map((name, i) => [name, probabilities[i]]).sort((a, b) => b[1] - a[1]).slice(0, 3)
  find('ol').replaceChildren(...best.map(([name, p]) => {
    const row = document.createElement('li')
    row.textContent = `${name}, ${(100 * p).toFixed(1)} %`
    row.style.setProperty('--share', p)
    Object.assign(row.dataset, { name, probability: p })
    return row
  }))
  find('.answer').hidden = false
  find('.state').textContent = ''
}

const look = file => classify(file).catch(error => {
  find('.answer').hidden = true
  find('.state').textContent = error.name === 'InvalidStateError' ? 'That is no picture that this browser can read.'
    : `The network could not be loaded (${error.message}). A copy of this site without ONNX Runtime was built without npm.`
})
find('input').addEventListener('change', event => event.target.files[0] && look(event.target.files[0]))
for (const name of ['dragover', 'drop']) find('.drop').addEventListener(name, event => event.preventDefault())
find('.drop').addEventListener('drop', event => event.dataTransfer.files[0] && look(event.dataTransfer.files[0]))
for (const button of page.querySelectorAll('button'))
  button.addEventListener('click', async () => look(await (await fetch(button.firstChild.src)).blob()))
