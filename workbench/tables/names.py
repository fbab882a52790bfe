"""What people call the columns of the standard tables, in English and Spanish.

Accents, case, spaces, the order of words and words such as `de` make no difference (see `guess.words`). The
names of one column stand in order: the first that is found in a file is taken.
"""

from __future__ import annotations

from typing import Final


def _named(**names: str) -> dict[str, tuple[str, ...]]:
    return {column: tuple(name.strip() for name in text.split(",")) for column, text in names.items()}


NAMES: Final = _named(
    customer_id="customer id, customer, user id, user, id usuario, usuario, id cliente, cliente, codigo"
    " cliente, cod cliente, numero cliente, client id, client, uid, visitor id, visitor, visitante, id"
    " visitante, member id, member, socio, id socio, person id, persona, profile id, contact id, contact,"
    " contacto, subscriber id, suscriptor, shopper id, account id, distinct id, user pseudo id, anonymous id,"
    " customer email, email, email address, mail, correo, correo electronico, direccion correo"
    " electronico, direccion email, person email, buyer email, from email address, requester email, buyer,"
    " comprador, customer name, nombre cliente, razon social, nif cliente",
    ts="ts, timestamp, datetime, date time, fecha hora, fecha y hora, date, fecha, time, created at,"
    " created, created on, creado, fecha creacion, event time, event timestamp, event date, fecha evento,"
    " occurred at, ocurrido, momento, marca tiempo, created date, date created, create date, server"
    " timestamp, day, dia",
    order_id="order id, order number, order no, order, id pedido, no pedido, n pedido, numero pedido, num"
    " pedido, pedido, transaction id, transaction, id transaccion, transaccion, invoice no, invoice"
    " number, invoice, factura, numero factura, no factura, n factura, purchase id, id compra, ticket, amazon"
    " order id",
    revenue="revenue, amount, total, order total, total amount, order value, total price, importe, importe"
    " total, total pedido, gasto, ventas, venta, sales, sale, spend, spent, ingresos, ingreso,"
    " facturacion, purchase amount, order amount, grand total, gross, total paid, amount paid, total"
    " pagado, total factura, invoice total, monto, valor pedido, value, valor, subtotal, euros",
    margin="margin, gross margin, margen, margen bruto, profit, beneficio",
    discount="discount, discount amount, descuento, importe descuento",
    refund="refund, refunded, refunded amount, refund amount, amount refunded, total refunded, total"
    " refund, devolucion, importe devuelto, total devuelto, reembolso, importe reembolsado",
    currency="currency, currency code, moneda, codigo moneda, divisa, codigo divisa",
    channel="channel, sales channel, canal, canal venta",
    variant="variant, variante, variation, variacion, variant id, variation id, variant name, variation"
    " name, nombre variante, arm, arm name, brazo, group, group name, grupo, nombre grupo, test group, ab"
    " group, experiment group, grupo experimental, treatment, tratamiento, version, bucket, condition,"
    " condicion, cell, experience variant, test",
    experience_id="experience id, experience, experiencia, id experiencia, experiment id, experiment,"
    " experimento, id experimento, experiment name, test id, test name, nombre experimento",
    assignment="assignment, asignacion, assigned by",
    p_assign="p assign, assignment probability, probability, propensity, probabilidad, propension",
    level="level, nivel, personalisation level, personalization level",
    type="type, tipo, event type, tipo evento",
    delivered="delivered, entregado",
    name="event name, event, name, nombre evento, evento, event type, tipo evento, action, accion, activity",
    event_id="event id, id evento, insert id, event uuid, uuid, id",
    session_id="session id, session, id sesion, sesion, visit id, visit num, id visita, visita",
    page="page, page url, url, pagina, page path, path, page location, context page url, landing page",
    item="item, item id, product, product id, producto, id producto, articulo, sku",
    value="value, valor, event value, amount, importe, revenue",
    device="device, device type, device category, dispositivo, tipo dispositivo, categoria dispositivo,"
    " platform, plataforma",
    country="country, country code, pais, codigo pais, geo country, mailing country, billing country,"
    " shipping country, default address country code, default address country, pais residencia, pais"
    " facturacion, ship country, pais envio, pais cliente",
    region="region, state, province, provincia, comunidad autonoma, comunidad, estado, mailing state,"
    " billing state, default address province code, default address province, ship state, provincia envio",
    city="city, ciudad, town, municipio, localidad, poblacion, mailing city, billing city, default address"
    " city, ship city, poblacion envio",
    source="source, utm source, traffic source, original source, lead source, fuente, fuente original,"
    " origen",
    medium="medium, utm medium, medio",
    campaign="campaign, utm campaign, campaign name, campana, nombre campana",
    first_seen="first seen, first seen at, first visit, primera visita, fecha primera visita, acquired at,"
    " acquisition date",
    signed_up="signed up, signed up at, sign up date, signup date, registered at, registration date,"
    " registered, fecha registro, fecha alta, alta, joined, joined at, join date, date registered, created"
    " at, create date, created date, date created, fecha creacion, added time, date added, optin time,"
    " confirm time",
    sku="sku, stock code, product code, codigo producto, codigo articulo, product id, product, item id,"
    " item, id producto, producto, articulo, referencia",
    category="category, categoria, product category, familia",
    quantity="quantity, qty, cantidad, unidades, units",
    price="price, unit price, precio, precio unitario, importe",
    from_recommendation="from recommendation, recommended, recomendado, de recomendacion",
    send_id="send id, message id, id envio, envio, id mensaje",
    campaign_id="campaign id, id campana, campaign, campana",
    topic="topic, tema",
    kind="kind, clase, message kind",
    link="link, enlace, url, clicked url",
    user_agent="user agent, agente usuario",
    action="action, accion, change, cambio, status, estado",
    reason="reason, motivo, razon, unsubscribe reason, motivo baja",
    pref_content="pref content, content preference, preferencia contenido",
    pref_frequency="pref frequency, frequency preference, preferencia frecuencia",
    evidence="evidence, evidencia, prueba",
    instrument="instrument, survey, survey name, encuesta, nombre encuesta, instrumento, survey type, tipo"
    " encuesta",
    amount="amount, importe, total",
    score="score, puntuacion, nota, rating, valoracion, satisfaction score, satisfaction rating, nps, nps"
    " score, csat, answer, respuesta",
    scale_min="scale min, minimo escala",
    scale_max="scale max, maximo escala",
    text="text, comment, comments, comentario, comentarios, texto, verbatim, feedback, opinion",
    trigger="trigger, disparador",
    date="date, fecha, day, dia",
    cost="cost, coste, costo, spend, ad spend, amount spent, gasto, importe gastado, gasto publicitario,"
    " inversion",
    leads="leads, contactos",
    lead_id="lead id, lead, id lead",
    stage="stage, etapa, fase",
    referrer_id="referrer id, referrer, referred by, padrino, recomendador, invited by",
    referred_id="referred id, referred, referido, invitado, apadrinado",
    purpose="purpose, finalidad, proposito",
    granted="granted, consent, consentimiento, otorgado, accepted, aceptado",
    text_version="text version, version texto, policy version",
    conversion="conversion, converted, convertido, convertida, purchased, purchase, bought, compro,"
    " comprado, conversion flag, has converted",
    refund_id="refund id, refund number, id devolucion, no devolucion, n devolucion, numero devolucion, id"
    " reembolso, credit note, abono, numero abono, no abono",
    rate="rate, exchange rate, fx rate, tipo cambio, cambio, tasa, tasa cambio, cotizacion",
    alias_id="alias id, alias, previous id, previous contact id, old id, merged id, anonymous id, id"
    " anterior, contacto anterior",
    network="network, social network, red, red social, platform, plataforma",
    post="post, post id, publicacion, id publicacion",
    count="count, n, cantidad, numero, total",
    reach="reach, alcance, impressions, impresiones",
    # summaries
    n="n, users, usuarios, customers, clientes, visitors, visitantes, sample size, size, tamano, muestra,"
    " count, total, total users, participants, participantes, sessions, sesiones, exposed",
    successes="successes, exitos, conversions, conversiones, converted, convertidos, conversion, orders,"
    " pedidos, purchases, compras, buyers, compradores, clicks, clics",
    sum="sum, suma, total revenue, revenue sum, sum revenue, revenue, ingresos, importe total, sales,"
    " ventas, total spend, gasto total, importe, gasto, total",
    sum_of_squares="sum of squares, suma cuadrados, sum squares, sumsq, sum sq, ssq, revenue sum of"
    " squares, revenue sumsq, sum revenue squared, revenue squared",
    mean="mean, media, average, avg, promedio, mean revenue, average revenue, revenue per user, arpu",
    variance="variance, varianza, var, sample variance",
    standard_deviation="standard deviation, sd, std, stdev, std dev, desviacion tipica, desviacion"
    " estandar, desviacion",
    metric="metric, metrica, metric name, nombre metrica, indicador, kpi",
)

TABLE_NAMES: Final = {
    "exposures": _named(
        ts="ts, exposed at, exposure time, exposure date, first exposure, assigned at, fecha exposicion,"
        " fecha asignacion, timestamp, date, fecha, datetime, created at, time"
    ),
    "orders": _named(
        ts="ts, order date, order ts, ordered at, purchase date, purchased at, invoice date, fecha pedido,"
        " fecha compra, fecha factura, timestamp, datetime, fecha hora, date, fecha, created at, created,"
        " created date, date created, create date, fecha creacion, paid at, time, transaction date, day,"
        " dia, sale date, fecha venta, fecha documento, fecha albaran, fecha emision",
        order_id="order id, order number, order no, order, id pedido, no pedido, n pedido, numero pedido,"
        " num pedido, pedido, referencia pedido, order reference, transaction id, transaction, id"
        " transaccion, transaccion, invoice no, invoice number, invoice, factura, numero factura, no"
        " factura, n factura, purchase id, id compra, ticket, numero, num, document number, numero"
        " documento, id, referencia, reference, amazon order id, albaran, no albaran, numero albaran,"
        " documento, no documento, receipt id, receipt",
        # of their lines
        sku="sku, stock code, product code, codigo producto, codigo articulo, cod articulo, lineitem sku,"
        " product id, product, item id, item, id producto, producto, articulo, referencia, asin, item name,"
        " product name, nombre producto, nombre articulo, lineitem name, descripcion, description, concepto",
        quantity="quantity, qty, cantidad, unidades, units, uds, cant, quantity shipped, quantity purchased,"
        " quantity ordered, lineitem quantity",
        price="price, unit price, precio, precio unitario, precio unidad, item price, lineitem price, pvp,"
        " precio venta, selling price",
        amount="line total, line amount, item total, item subtotal, total linea, importe linea, extended"
        " price, amount, importe, importe neto, base imponible, importe total, subtotal, revenue, sales,"
        " ventas, venta, total, total price, total amount, order total, grand total, order value, total"
        " pedido, total factura",
    ),
    "customers": _named(
        customer_id="customer id, customer, user id, user, id usuario, usuario, id cliente, cliente,"
        " codigo cliente, numero cliente, client id, client, uid, visitor id, visitor, visitante, id"
        " visitante, member id, member, socio, id socio, person id, persona, profile id, contact id, id"
        " contacto, record id, contact, contacto, subscriber id, suscriptor, shopper id, account id,"
        " distinct id, user pseudo id, anonymous id, customer email, email, email address, mail, correo,"
        " correo electronico, direccion correo electronico, direccion email, id",
    ),
    "events": _named(
        customer_id="customer id, customer, user id, user, id usuario, usuario, id cliente, cliente,"
        " client id, client, uid, visitor id, visitor, visitante, id visitante, member id, member, socio,"
        " person id, persona, profile id, contact id, contact, contacto, subscriber id, shopper id,"
        " account id, distinct id, user pseudo id, anonymous id, mcvisid, visid, customer email, email,"
        " correo",
    ),
    "surveys": _named(
        customer_id="customer id, customer, respondent id, respondent, encuestado, id encuestado, user id,"
        " user, usuario, id cliente, cliente, client id, client, person id, contact id, contact, contacto,"
        " member id, account id, customer email, person email, requester email, requester, email address,"
        " email, mail, correo, correo electronico, direccion correo electronico, direccion email",
        ts="ts, timestamp, marca tiempo, marca temporal, submit date, submitted at, submission time,"
        " completed at, completion time, hora finalizacion, response date, responded at, fecha respuesta,"
        " fecha envio, date, fecha, datetime, fecha hora, solved at, created at, created, end date",
        item="item, question, pregunta",
    ),
    "subscriptions": _named(
        ts="ts, unsubscribed at, unsubscribed, unsubscribe date, unsub time, unsub date, subscribed at,"
        " optout date, optout time, timestamp, datetime, date, fecha, fecha hora, created at"
    ),
    "leads": _named(
        channel="channel, sales channel, canal, lead source, source, fuente, origen",
        stage="stage, etapa, fase, lead status, status, estado",
    ),
    "refunds": _named(
        ts="ts, refunded at, refund date, fecha devolucion, fecha reembolso, timestamp, date, fecha",
        amount="amount, refund amount, refunded amount, refund, importe, importe devuelto, devolucion,"
        " reembolso, total",
    ),
    "churn": _named(
        ts="churned at, churn date, churn, fecha baja, baja, cancelled at, cancellation date, fecha"
        " cancelacion"
    ),
    "sends": _named(ts="ts, sent at, send time, sent, fecha envio, enviado, timestamp, date, fecha"),
    "spend": _named(date="date, fecha, day, dia", channel="channel, canal, source, fuente, platform"),
}
"""Names that mean a column in one table only."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


OUTCOME_WORDS: Final = _words(
    "converted conversion convertido conversions purchased purchase bought compra compro comprado buyer click"
    " clicked clicks clic clics signup subscribed registered registro revenue spend spent gasto importe"
    " ingresos amount total sales ventas value valor orders pedidos compras purchases visits visitas sessions"
    " sesiones pages paginas minutes minutos retention retained retenido churned baja opened score nps margin"
    " margen profit beneficio refund returned devuelto unsubscribed success exito outcome resultado"
)
"""Words in the name of a column that measures what a customer did."""

ATTRIBUTE_WORDS: Final = _words(
    "age edad year ano born birth nacimiento tenure antiguedad income renta zip postal postcode cp code"
    " codigo phone telefono lat lon latitude longitude id segment segmento gender sex sexo genero"
)
"""Words in the name of a column that says who a customer is, even where it holds numbers."""


SURVEY_WORDS: Final = _words(
    "satisfaction satisfaccion nps csat ces comment comments comentario comentarios feedback opinion"
    " suggestion suggestions sugerencia sugerencias valoracion recommend recomendarias verbatim"
)
"""Words in the name of a column that holds an answer, even where it asks no question."""
