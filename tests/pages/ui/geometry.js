// What is wrong with the places of things on a page: one sentence per fault; see geometry.py.
({stage}) => {
    const MUCH = 3, LITTLE = 2, SEEN = 0.5;  // pixels: of an overlap, of what may stick out, of the least mark
    const WIDE = 1000;  // pixels of a window that needs no scrolling to the side
    const found = new Set();
    const say = (kind, ...what) => found.add(`${kind}: ${what.join(' | ')}`);
    const short = text => text.trim().replace(/\s+/g, ' ').slice(0, 60);
    const shown = element => element.checkVisibility({checkOpacity: true, checkVisibilityCSS: true});
    const alpha = colour => ['none', 'transparent'].includes(colour) ? 0 : +(colour.match(/rgba\(.*, ([\d.]+)\)/)?.[1] ?? 1);
    const whole = box => ({left: box.left, right: box.right, top: box.top, bottom: box.bottom});
    const corners = box => [[box.left, box.top], [box.right, box.top], [box.right, box.bottom], [box.left, box.bottom]];
    const aside = box => box.right < -LITTLE || box.bottom < -LITTLE;  // kept out of sight on purpose
    const floor = Math.min(innerHeight, document.querySelector('.st-key-story')?.getBoundingClientRect().top ?? innerHeight);
    const STREAMLITS = ['stToast', 'stTooltipContent', 'stHeader', 'stSidebar'].map(id => `[data-testid=${id}]`);
    const NOT_OURS = [...STREAMLITS, '.modebar-container'].join();
    const ELEMENT = '[data-testid=stElementContainer]';

    function around(points) {
        const xs = points.map(point => point[0]), ys = points.map(point => point[1]);
        return {left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys)};
    }

    function turned(text) {  // the corners of a text of a chart that does not lie straight, else nothing
        const matrix = text.getScreenCTM();
        if (!matrix || Math.abs(matrix.b) + Math.abs(matrix.c) < 0.01) return null;
        const box = text.getBBox();
        return corners({left: box.x, right: box.x + box.width, top: box.y, bottom: box.y + box.height})
            .map(([x, y]) => [matrix.a * x + matrix.c * y + matrix.e, matrix.b * x + matrix.d * y + matrix.f]);
    }

    function lowered(points) {  // as high as letters are
        const [a, b, c, d] = points, mix = (from, to, share) => from.map((value, at) => value + share * (to[at] - value));
        return [mix(a, d, 0.24), mix(b, c, 0.24), mix(b, c, 0.84), mix(a, d, 0.84)];
    }

    function hidden(element) {  // for screen readers alone, or without a colour
        const svg = element.closest('svg text'), style = getComputedStyle(svg ?? element);
        if (!alpha(svg ? style.fill : style.color) || parseFloat(style.fontSize) < 3) return true;
        for (let above = element; above; above = above.parentElement) {
            const box = above.getBoundingClientRect(), css = getComputedStyle(above);
            if (css.clipPath.startsWith('inset(50%') || /^rect\([01]px/.test(css.clip)) return true;
            if (css.overflow !== 'visible' && box.width <= 1.5 && box.height <= 1.5) return true;
        }
        return false;
    }

    // What a thing is clipped by: what lies outside can be scrolled to, or is cut.
    function clips(element) {
        const found = [];
        for (let above = element.parentElement; above && above !== document.body; above = above.parentElement) {
            const css = getComputedStyle(above);
            if (above.tagName === 'svg' || css.overflowX !== 'visible' || css.overflowY !== 'visible') {
                const scrolls = axis => ['auto', 'scroll'].includes(css[axis]) && above.tagName !== 'svg';
                found.push({box: above.getBoundingClientRect(), across: scrolls('overflowX'), down: scrolls('overflowY')});
            }
            const path = above.getAttribute('clip-path')?.match(/#([^)"']+)/);
            const shape = path && document.getElementById(path[1])?.firstElementChild;
            if (shape && above.ownerSVGElement) {
                const matrix = above.getScreenCTM(), box = shape.getBBox();
                const place = (x, y) => [matrix.a * x + matrix.e, matrix.d * y + matrix.f];
                const [left, top] = place(box.x, box.y), [right, bottom] = place(box.x + box.width, box.y + box.height);
                found.push({box: {left, top, right, bottom}, across: false, down: false, axes: true});
            }
            if (css.position === 'fixed') break;
        }
        return found;
    }

    function cut(element, box, what) {  // says what is cut; whether any of it is in sight
        let across = false, down = false;
        for (const clip of clips(element)) {
            across ||= clip.across;
            down ||= clip.down;
            const beside = Math.max(clip.box.left - box.left, box.right - clip.box.right);
            const above = Math.max(clip.box.top - box.top, box.bottom - clip.box.bottom);
            const gone = box.right <= clip.box.left || box.left >= clip.box.right || box.bottom <= clip.box.top
                || box.top >= clip.box.bottom;
            if (gone && clip.axes) return false;  // beyond the range of an axis on purpose
            if (beside > LITTLE && !across || above > LITTLE && !down) say('cut', what);
            else if (gone) return false;
        }
        const over = Math.max(-box.left, box.right - document.documentElement.clientWidth);
        if (over > LITTLE && (stage || !across)) say('beside the window', what);
        if (stage && !element.closest('.st-key-story') && box.bottom > floor + LITTLE) say('below the fold', what);
        return box.bottom > 0 && box.top < innerHeight;
    }

    function covered(element, x, y) {  // what lies above the middle of a thing, if that is something else
        if (x < 0 || y < 0 || x >= innerWidth || y >= innerHeight) return null;
        const hit = document.elementFromPoint(x, y);
        if (!hit || hit.contains(element) || element.contains(hit) || hit.closest(NOT_OURS)) return null;
        const home = `.js-plotly-plot, ${ELEMENT}, label, figure, table, .card`;
        return element.closest(home)?.contains(hit) ? null : hit;
    }

    function paints(element, other) {  // whether what lies above a text can be seen
        for (let above = other; above && !above.contains(element); above = above.parentElement) {
            const css = getComputedStyle(above);
            if (alpha(css.backgroundColor) || css.backgroundImage !== 'none' || above.closest('svg, img')) return true;
        }
        return false;
    }

    function name(element) {
        const attribute = which => element.getAttribute(which);
        return short(attribute('aria-label') || element.textContent || attribute('class') || element.tagName);
    }

    // Every line of text that is in sight.
    const lines = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const element = node.parentElement;
        if (!node.data.trim() || element.closest(`script, style, title, defs, option, noscript, ${NOT_OURS}`)) continue;
        if (!shown(element) || hidden(element)) continue;
        const text = element.closest('svg text'), quad = text && turned(text);
        if (quad && lines.some(line => line.text === text)) continue;
        range.selectNodeContents(node);
        const quads = quad ? [quad] : [...range.getClientRects()].filter(box => box.width > 1).map(corners);
        for (const points of quads) {
            const box = around(points), letters = around(lowered(points));
            if (aside(box)) continue;
            const what = short(node.data);
            if (!cut(element, {...box, top: letters.top, bottom: letters.bottom}, what)) continue;
            const [x, y] = [(box.left + box.right) / 2, (letters.top + letters.bottom) / 2], other = covered(element, x, y);
            if (other && paints(element, other)) say('text under another element', what, name(other));
            const block = element.closest('p, td, th, dd, dt, li, button, label, figcaption, h2, h3, summary, svg text');
            lines.push({points: lowered(points), box: letters, what, text, block: block ?? element});
        }
        const css = getComputedStyle(element);
        if (!text && css.overflowX !== 'visible' && css.display !== 'inline' && !['auto', 'scroll'].includes(css.overflowX)
            && element.scrollWidth > element.clientWidth + LITTLE) say('cut', short(node.data));
    }

    // How deep two boxes lie in one another: the least overlap along any side of both.
    function depth(one, other) {
        let least = Infinity;
        for (const points of [one, other]) for (const [from, to] of [[0, 1], [1, 2]]) {
            const along = [points[to][0] - points[from][0], points[to][1] - points[from][1]];
            const length = Math.hypot(...along) || 1;
            const spread = quad => quad.map(([x, y]) => (x * along[0] + y * along[1]) / length);
            const [a, b] = [spread(one), spread(other)];
            least = Math.min(least, Math.min(Math.max(...a), Math.max(...b)) - Math.max(Math.min(...a), Math.min(...b)));
        }
        return least;
    }

    lines.sort((one, other) => one.box.top - other.box.top);
    lines.forEach((one, at) => {
        for (let next = at + 1; next < lines.length && lines[next].box.top < one.box.bottom - MUCH; next++) {
            const other = lines[next];
            if (one.block === other.block || other.box.left > one.box.right || one.box.left > other.box.right) continue;
            if (depth(one.points, other.points) > MUCH) say('overlap', one.what, other.what);
        }
    });

    // Marks: points and bars of charts that ask for a size, bars of pages with a width, pictures, and the room of a chart.
    for (const mark of document.querySelectorAll('.js-plotly-plot .point, .js-plotly-plot .point > path')) {
        const datum = mark.__data__ ?? {}, box = mark.getBoundingClientRect();
        const asks = mark.closest('.bars') ? Math.abs(datum.s ?? 0) > 0 : (datum.mrc ?? datum.ms ?? 1) > 0;
        if (mark.tagName === 'path' && shown(mark) && asks && Math.min(box.width, box.height) < SEEN)
            say('mark without size', mark.closest('.trace')?.__data__?.[0]?.trace?.name ?? 'a chart');
    }
    for (const bar of document.querySelectorAll('[style*="width:"]')) {
        const asked = parseFloat(bar.style.width), box = bar.getBoundingClientRect(), css = getComputedStyle(bar);
        if (!bar.style.width.endsWith('%') || asked < 1 || !shown(bar) || !alpha(css.backgroundColor)) continue;
        if (Math.min(box.width, box.height) < SEEN) say('mark without size', name(bar.parentElement.parentElement));
    }
    for (const image of document.querySelectorAll('img, svg image')) {
        const box = image.getBoundingClientRect(), seen = shown(image) && !image.closest(NOT_OURS);
        if (seen && Math.min(box.width, box.height) < 2) say('mark without size', image.alt || 'an image');
    }
    for (const room of document.querySelectorAll('.js-plotly-plot .nsewdrag')) {
        const box = room.getBoundingClientRect(), size = [box.width, box.height].map(Math.round);
        if (Math.min(...size) < 80) say('chart without room', size.join(' x '));
        const chart = room.closest('svg').getBoundingClientRect();
        cut(room, {left: chart.left, right: chart.right, top: box.top, bottom: box.bottom}, 'a chart');
    }

    // Controls: what the pointer meets in their middle is theirs.
    const CONTROLS = 'button, a[href], input, textarea, [role=slider], [role=radio], .updatemenu-button, .slider-group';
    for (const control of document.querySelectorAll(CONTROLS)) {
        const box = control.getBoundingClientRect();
        if (!shown(control) || hidden(control) || aside(box) || box.width < 2 || control.closest(NOT_OURS)) continue;
        const what = name(control.textContent ? control : control.closest(ELEMENT) ?? control);
        if (!cut(control, whole(box), what)) continue;
        const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2], other = covered(control, x, y);
        if (other) say('control under another element', what, name(other));
    }

    const page = document.querySelector('[data-testid=stMain]') ?? document.documentElement;
    for (const part of page.querySelectorAll('*')) {
        if (innerWidth < WIDE || part.scrollWidth <= part.clientWidth + LITTLE || !shown(part)) continue;
        if (part.matches('input[role=combobox]') || ['auto', 'scroll'].includes(getComputedStyle(part).overflowX))
            say('scrolls sideways', part.value || name(part));
    }
    const over = page.scrollHeight - page.clientHeight;
    if (stage && over > LITTLE) say('below the fold', `the page is ${over} pixels too high`);
    return [...found].sort();
}
