"""The beginnings of files as real programs write them: their header, three rows, and what they hold.

The headers are those of the programs' own exports in English or Spanish; the rows are made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


class Export(NamedTuple):
    """A file and what should be seen in it.

    Attributes:
        text: Its header and three rows.
        table: The standard table that it holds; None when it should be asked.
        mapping: What has to be found; None for what must not be.
        grain: Its grain.
        missing: What the file does not say and somebody has to.
    """

    text: str
    table: str | None
    mapping: Mapping[str, Any] = MappingProxyType({})
    grain: str = "event"
    missing: tuple[str, ...] = ()


EXPORTS: dict[str, Export] = {
    "Magento orders": Export(
        "ID,Purchase Point,Purchase Date,Bill-to Name,Ship-to Name,Grand Total (Base),"
        "Grand Total (Purchased),"
        "Status,Billing Address,Shipping Information,Customer Email,Customer Group,Subtotal,Payment Method,"
        "Total Refunded\n"
        '000000012,"Main Website, Main Store",2026-01-14 10:02:11,Ana Ruiz,Ana Ruiz,54.00,54.00,complete,'
        '"Calle 1,Madrid",Flat Rate,ana@mail.example,General,49.00,checkmo,\n'
        '000000013,"Main Website, Main Store",2026-01-15 11:32:40,Eva Sol,Eva Sol,20.00,20.00,closed,'
        '"Calle 2,Lugo",Flat Rate,eva@mail.example,General,15.00,checkmo,20.00\n'
        '000000014,"Main Website, Main Store",2026-01-15 19:12:01,Ana Ruiz,Ana Ruiz,31.50,31.50,processing,'
        '"Calle 1,Madrid",Flat Rate,ana@mail.example,General,26.50,checkmo,\n',
        "orders",
        {
            "order_id": "ID",
            "customer_id": "Customer Email",
            "ts": "Purchase Date",
            "revenue": "Grand Total (Base)",
            "refund": "Total Refunded",
        },
    ),
    "PrestaShop orders": Export(
        "ID;Referencia;Nuevo cliente;Entrega;Cliente;Total;Pago;Estado;Fecha\n"
        "5;KHWLILZLL;1;España;A. RUIZ;54,90 €;Transferencia;Pago aceptado;2026-01-14 10:02:11\n"
        "6;XKBKNABJK;0;España;E. SOL;20,00 €;Tarjeta;Enviado;2026-01-15 11:32:40\n"
        "7;OHSATSERP;0;España;A. RUIZ;31,50 €;Tarjeta;Enviado;2026-01-15 19:12:01\n",
        "orders",
        {"order_id": "ID", "customer_id": "Cliente", "ts": "Fecha", "revenue": "Total"},
    ),
    "Stripe payments": Export(
        "id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Converted Amount,"
        "Converted Amount Refunded,Converted Currency,Decline Reason,Description,Fee,Status,Customer ID,"
        "Customer Email,Captured,Card ID\n"
        "ch_3A,2026-01-14 10:02:11,54.00,0.00,eur,true,54.00,0.00,eur,,Order,1.06,Paid,cus_1,"
        "a@m.example,true,c1\n"
        "ch_3B,2026-01-15 11:32:40,20.00,20.00,usd,true,18.40,18.40,eur,,Order,0.55,Refunded,cus_2,"
        "b@m.example,true,c2\n"
        "ch_3C,2026-01-15 19:12:01,31.50,0.00,eur,true,31.50,0.00,eur,,Order,0.72,Paid,cus_1,"
        "a@m.example,true,c1\n",
        "orders",
        {
            "order_id": "id",
            "customer_id": "Customer ID",
            "ts": "Created date (UTC)",
            "revenue": "Amount",
            "refund": "Amount Refunded",
            "currency": "Currency",
        },
    ),
    "PayPal activity": Export(
        '"Date","Time","TimeZone","Name","Type","Status","Currency","Gross","Fee","Net","From Email Address",'
        '"To Email Address","Transaction ID","Item Title","Invoice Number","Balance"\n'
        '"14/01/2026","10:02:11","CET","Ana Ruiz","Express Checkout Payment","Completed","EUR","54,00",'
        '"-1,85",'
        '"52,15","ana@mail.example","shop@mail.example","8AB12345CD678901E","Shoes","1001","52,15"\n'
        '"15/01/2026","11:32:40","CET","Eva Sol","Express Checkout Payment","Completed","EUR","20,00",'
        '"-0,95",'
        '"19,05","eva@mail.example","shop@mail.example","9AB12345CD678901E","Socks","1002","71,20"\n'
        '"15/01/2026","19:12:01","CET","Ana Ruiz","Express Checkout Payment","Completed","EUR","31,50",'
        '"-1,20",'
        '"30,30","ana@mail.example","shop@mail.example","7AB12345CD678901E","Hat","1003","101,50"\n',
        "orders",
        {
            "order_id": "Transaction ID",
            "customer_id": "From Email Address",
            "ts": "Date",
            "revenue": "Gross",
            "currency": "Currency",
        },
    ),
    "HubSpot contacts": Export(
        "Record ID,First Name,Last Name,Email,Phone Number,Contact owner,Last Activity Date (CET),"
        "Lead Status,"
        "Marketing contact status,Create Date (CET),Original Source,Country/Region,City\n"
        "101,Ana,Ruiz,ana@mail.example,600000001,Luis,2026-01-14 10:02,New,Marketing contact,"
        "2025-11-02 09:00,"
        "Organic Search,Spain,Madrid\n"
        "102,Eva,Sol,eva@mail.example,600000002,Luis,,Open,Marketing contact,2025-11-03 09:00,"
        "Paid Social,Spain,Lugo\n"
        "103,Ian,Poe,ian@mail.example,,Marta,2026-01-10 12:00,,Non-marketing contact,2025-12-01 18:30,"
        "Direct Traffic,France,Lyon\n",
        "customers",
        {
            "customer_id": "Record ID",
            "signed_up": "Create Date (CET)",
            "source": "Original Source",
            "country": "Country/Region",
            "city": "City",
        },
    ),
    "Salesforce contacts": Export(
        '"Contact ID","First Name","Last Name","Email","Account Name","Mailing City",'
        '"Mailing State/Province",'
        '"Mailing Country","Lead Source","Created Date","Title"\n'
        '"0035I01","Ana","Ruiz","ana@mail.example","Acme","Madrid","Madrid","Spain","Web","14/01/2026",'
        '"CEO"\n'
        '"0035I02","Eva","Sol","eva@mail.example","Acme","Lugo","Galicia","Spain","Web","15/01/2026","CTO"\n'
        '"0035I03","Ian","Poe","ian@mail.example","Bolt","Lyon","Rhône","France","Fair","15/01/2026",""\n',
        "customers",
        {
            "customer_id": "Contact ID",
            "signed_up": "Created Date",
            "source": "Lead Source",
            "country": "Mailing Country",
            "region": "Mailing State/Province",
            "city": "Mailing City",
        },
    ),
    "Sendinblue contacts": Export(
        "ID DE CONTACTO;EMAIL;APELLIDOS;NOMBRE;SMS;FECHA DE CREACIÓN\n"
        "1;ana@mail.example;Ruiz;Ana;34600000001;14-01-2026 10:02:11\n"
        "2;eva@mail.example;Sol;Eva;;15-01-2026 11:32:40\n"
        "3;ian@mail.example;Poe;Ian;;15-01-2026 19:12:01\n",
        "customers",
        {"customer_id": "ID DE CONTACTO", "signed_up": "FECHA DE CREACIÓN"},
    ),
    "ActiveCampaign contacts": Export(
        "ID,Email,First Name,Last Name,Phone,Date Created,Lists,Tags,Score\n"
        "1,ana@mail.example,Ana,Ruiz,,2026-01-14 10:02:11,Newsletter,vip,12\n"
        "2,eva@mail.example,Eva,Sol,,2026-01-15 11:32:40,Newsletter,,0\n"
        "3,ian@mail.example,Ian,Poe,,2026-01-15 19:12:01,Newsletter,new,3\n",
        "customers",
        {"customer_id": "Email", "signed_up": "Date Created"},
    ),
    "Mailchimp audience": Export(
        "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,"
        "LATITUDE,"
        "LONGITUDE,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS\n"
        "ana@mail.example,Ana,Ruiz,2,,,2025-11-02 09:00:00,1.2.3.4,40.4,-3.7,Europe/Madrid,ES,MD,"
        "2026-01-14 10:02:11,"
        '101,a1,,"vip"\n'
        "eva@mail.example,Eva,Sol,3,,,2025-11-03 09:00:00,1.2.3.5,43.0,-7.5,Europe/Madrid,ES,GA,"
        "2026-01-15 11:32:40,"
        "102,a2,,\n"
        "ian@mail.example,Ian,Poe,2,,,2025-12-01 18:30:00,1.2.3.6,45.7,4.8,Europe/Paris,FR,ARA,"
        "2026-01-15 19:12:01,"
        "103,a3,,\n",
        "customers",
        {"customer_id": "Email Address", "region": "REGION"},
    ),
    "Shopify customers": Export(
        "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address City,"
        "Default Address Province Code,Default Address Country Code,Total Spent,Total Orders,Tags\n"
        "7001,Ana,Ruiz,ana@mail.example,yes,Madrid,M,ES,85.50,2,\n"
        "7002,Eva,Sol,eva@mail.example,no,Lugo,LU,ES,20.00,1,wholesale\n"
        "7003,Ian,Poe,ian@mail.example,yes,Lyon,,FR,0.00,0,\n",
        "customers",
        {
            "customer_id": "Customer ID",
            "country": "Default Address Country Code",
            "city": "Default Address City",
        },
    ),
    "WooCommerce customers": Export(
        "Name,Username,Last active,Date registered,Email,Orders,Total spend,AOV,Country / Region,City,Region,"
        "Postal code\n"
        "Ana Ruiz,ana,2026-01-14 10:02:11,2025-11-02 09:00:00,ana@mail.example,2,85.5,42.75,ES,Madrid,M,"
        "28001\n"
        "Eva Sol,eva,2026-01-15 11:32:40,2025-11-03 09:00:00,eva@mail.example,1,20,20,ES,Lugo,LU,27001\n"
        "Ian Poe,ian,2026-01-15 19:12:01,2025-12-01 18:30:00,ian@mail.example,0,0,0,FR,Lyon,,69001\n",
        "customers",
        {"customer_id": "Email", "signed_up": "Date registered", "country": "Country / Region"},
    ),
    "Google Ads campaigns": Export(
        "Day,Campaign,Campaign type,Currency code,Cost,Impr.,Clicks,Conversions\n"
        "2026-01-14,Brand,Search,EUR,12.50,1000,40,2.00\n"
        "2026-01-14,Shoes,Performance Max,EUR,30.10,9000,120,3.50\n"
        "2026-01-15,Brand,Search,EUR,11.00,950,37,1.00\n",
        "spend",
        {"date": "Day", "campaign": "Campaign", "cost": "Cost", "currency": "Currency code"},
        missing=("channel",),
    ),
    "Google Ads campaigns in Spanish": Export(
        "Día;Campaña;Tipo de campaña;Código de moneda;Coste;Impresiones;Clics;Conversiones\n"
        "14/01/2026;Marca;Búsqueda;EUR;12,50;1.000;40;2,00\n"
        "14/01/2026;Zapatos;Máximo rendimiento;EUR;30,10;9.000;120;3,50\n"
        "15/01/2026;Marca;Búsqueda;EUR;11,00;950;37;1,00\n",
        "spend",
        {"date": "Día", "campaign": "Campaña", "cost": "Coste", "currency": "Código de moneda"},
        missing=("channel",),
    ),
    "Meta ads": Export(
        "Campaign name,Day,Campaign delivery,Reach,Impressions,Amount spent (EUR),Results,Result indicator,"
        "Reporting starts,Reporting ends\n"
        "Lookbook,2026-01-14,active,900,1200,15.20,3,actions:purchase,2026-01-14,2026-01-14\n"
        "Lookbook,2026-01-15,active,850,1100,14.90,2,actions:purchase,2026-01-15,2026-01-15\n"
        "Sale,2026-01-15,active,2000,2600,40.00,9,actions:purchase,2026-01-15,2026-01-15\n",
        "spend",
        {"date": "Day", "campaign": "Campaign name", "cost": "Amount spent (EUR)", "currency": "EUR"},
        missing=("channel",),
    ),
    "Meta ads in Spanish": Export(
        "Nombre de la campaña,Día,Entrega de la campaña,Alcance,Impresiones,Importe gastado (EUR),Resultados,"
        "Inicio del informe,Fin del informe\n"
        "Lookbook,2026-01-14,active,900,1200,15.20,3,2026-01-14,2026-01-14\n"
        "Lookbook,2026-01-15,active,850,1100,14.90,2,2026-01-15,2026-01-15\n"
        "Rebajas,2026-01-15,active,2000,2600,40.00,9,2026-01-15,2026-01-15\n",
        "spend",
        {"date": "Día", "campaign": "Nombre de la campaña", "cost": "Importe gastado (EUR)"},
        missing=("channel",),
    ),
    "Matomo visits": Export(
        "idSite,idVisit,visitorId,userId,serverTimestamp,visitDuration,actions,deviceType,country,"
        "referrerType,"
        "referrerName\n"
        "1,881,a1b2c3,,1768384931,120,4,Smartphone,Spain,search,Google\n"
        "1,882,d4e5f6,,1768476760,15,1,Desktop,Spain,direct,\n"
        "1,883,a1b2c3,,1768504321,300,9,Smartphone,Spain,direct,\n",
        "events",
        {
            "customer_id": "visitorId",
            "session_id": "idVisit",
            "ts": "serverTimestamp",
            "device": "deviceType",
        },
        missing=("name",),
    ),
    "Adobe data feed": Export(
        "hit_time_gmt\tdate_time\tmcvisid\tvisit_num\tpost_pagename\tpage_url\tpost_event_list\tgeo_country\n"
        "1768384931\t2026-01-14 10:02:11\t401\t1\thome\thttps://shop.example/\t\tesp\n"
        "1768384990\t2026-01-14 10:03:10\t401\t1\tproduct\thttps://shop.example/p/7\t2\tesp\n"
        "1768476760\t2026-01-15 11:32:40\t402\t3\thome\thttps://shop.example/\t\tesp\n",
        "events",
        {"customer_id": "mcvisid", "ts": "date_time", "page": "page_url"},
        missing=("name",),
    ),
    "Segment track calls": Export(
        "id,anonymous_id,user_id,event,event_text,received_at,sent_at,timestamp,context_page_url,"
        "context_page_path\n"
        "m1,a1,u1,product_viewed,Product Viewed,2026-01-14 10:02:12,2026-01-14 10:02:11,2026-01-14 10:02:11,"
        "https://shop.example/p/7,/p/7\n"
        "m2,a1,u1,product_added,Product Added,2026-01-14 10:03:12,2026-01-14 10:03:11,2026-01-14 10:03:11,"
        "https://shop.example/p/7,/p/7\n"
        "m3,a2,u2,product_viewed,Product Viewed,2026-01-15 11:32:41,2026-01-15 11:32:40,2026-01-15 11:32:40,"
        "https://shop.example/p/9,/p/9\n",
        "events",
        {"event_id": "id", "customer_id": "user_id", "name": "event", "ts": "timestamp"},
    ),
    "Zendesk satisfaction": Export(
        "Ticket ID,Requester email,Assignee,Solved at,Satisfaction Score,Satisfaction Comment\n"
        "5001,ana@mail.example,Luis,2026-01-14 10:02,Good,Quick answer\n"
        "5002,eva@mail.example,Marta,2026-01-15 11:32,Bad,Nobody called\n"
        "5003,ian@mail.example,Luis,2026-01-15 19:12,Good,\n",
        "surveys",
        {
            "customer_id": "Requester email",
            "ts": "Solved at",
            "items": ("Satisfaction Score", "Satisfaction Comment"),
        },
    ),
    "Typeform responses": Export(
        "#,How likely are you to recommend us to a friend or colleague?,"
        "What is the main reason for your score?,"
        "email,Response Type,Start Date (UTC),Stage Date (UTC),Submit Date (UTC),Network ID,Tags\n"
        "ab1,9,It just works,ana@mail.example,completed,2026-01-14 10:00:11,,2026-01-14 10:02:11,n1,\n"
        "ab2,3,Too slow,eva@mail.example,completed,2026-01-15 11:30:40,,2026-01-15 11:32:40,n2,\n"
        "ab3,10,,ian@mail.example,completed,2026-01-15 19:10:01,,2026-01-15 19:12:01,n3,\n",
        "surveys",
        {
            "customer_id": "email",
            "ts": "Submit Date (UTC)",
            "items": (
                "How likely are you to recommend us to a friend or colleague?",
                "What is the main reason for your score?",
            ),
        },
    ),
    "Google Forms in Spanish": Export(
        '"Marca temporal","Dirección de correo electrónico","¿Con qué probabilidad nos recomendarías?",'
        '"¿Por qué?","Comentarios"\n'
        '"14/01/2026 10:02:11","ana@mail.example","9","Funciona",""\n'
        '"15/01/2026 11:32:40","eva@mail.example","3","Lento","Llamadme"\n'
        '"15/01/2026 19:12:01","ian@mail.example","10","",""\n',
        "surveys",
        {
            "customer_id": "Dirección de correo electrónico",
            "ts": "Marca temporal",
            "items": ("¿Con qué probabilidad nos recomendarías?", "¿Por qué?", "Comentarios"),
        },
    ),
    "Google Forms without names": Export(
        "Timestamp,How satisfied are you with your last purchase?,What could we do better?\n"
        "1/14/2026 10:02:11,4,Faster delivery\n1/15/2026 11:32:40,2,\n1/15/2026 19:12:01,5,Nothing\n",
        "surveys",
        {
            "ts": "Timestamp",
            "items": ("How satisfied are you with your last purchase?", "What could we do better?"),
        },
        missing=("customer_id",),
    ),
    "Delighted responses": Export(
        "Response ID,Person ID,Person Email,Score,Comment,Response Date\n"
        "1,p1,ana@mail.example,9,Works,2026-01-14\n2,p2,eva@mail.example,3,Slow,2026-01-15\n"
        "3,p3,ian@mail.example,10,,2026-01-15\n",
        "surveys",
        {"customer_id": "Person ID", "ts": "Response Date", "score": "Score", "text": "Comment"},
    ),
    "Answers one by one": Export(
        "respondent_id,date,survey,question,score,comment\n"
        "c1,2026-01-14,nps,q1,9,\nc2,2026-01-15,nps,q1,3,Slow\nc3,2026-01-15,csat,q2,5,\n",
        "surveys",
        {
            "customer_id": "respondent_id",
            "ts": "date",
            "instrument": "survey",
            "item": "question",
            "score": "score",
            "text": "comment",
        },
    ),
    "Holded invoices": Export(
        "Fecha;Fecha de vencimiento;Número;Contacto;Tags;Descripción;Subtotal;IVA;Retención;Total;Cobrado;"
        "Pendiente;Estado\n"
        "14/01/2026;13/02/2026;F260001;Ana Ruiz;;Zapatos;44,63;9,37;0,00;54,00;54,00;0,00;Cobrada\n"
        "15/01/2026;14/02/2026;F260002;Eva Sol;;Calcetines;16,53;3,47;0,00;20,00;0,00;20,00;Pendiente\n"
        "15/01/2026;14/02/2026;F260003;Ana Ruiz;;Gorro;26,03;5,47;0,00;31,50;31,50;0,00;Cobrada\n",
        "orders",
        {"order_id": "Número", "customer_id": "Contacto", "ts": "Fecha", "revenue": "Total"},
    ),
    "Odoo sales": Export(
        "Referencia del pedido,Fecha de creación,Cliente,Comercial,Actividades,Empresa,Total,Estado\n"
        "S00012,2026-01-14 10:02:11,Ana Ruiz,Luis,,Mi tienda,54.00,Pedido de venta\n"
        "S00013,2026-01-15 11:32:40,Eva Sol,Luis,,Mi tienda,20.00,Pedido de venta\n"
        "S00014,2026-01-15 19:12:01,Ana Ruiz,Marta,,Mi tienda,31.50,Pedido de venta\n",
        "orders",
        {
            "order_id": "Referencia del pedido",
            "customer_id": "Cliente",
            "ts": "Fecha de creación",
            "revenue": "Total",
        },
    ),
    "Bank account": Export(
        "Fecha operación;Fecha valor;Concepto;Importe;Saldo;Divisa\n"
        "14/01/2026;14/01/2026;TRANSFERENCIA DE ANA;54,00;1.054,00;EUR\n"
        "15/01/2026;15/01/2026;RECIBO LUZ;-80,10;973,90;EUR\n"
        "15/01/2026;16/01/2026;TRANSFERENCIA DE EVA;20,00;993,90;EUR\n",
        None,
    ),
    "Website totals": Export(
        "Date,Session source / medium,Sessions,Total users,Conversions\n"
        "20260114,google / organic,120,100,3\n20260114,(direct) / (none),80,75,1\n"
        "20260115,google / organic,130,110,4\n",
        None,
    ),
    "Experiment results": Export(
        "Variation,Visitors,Conversions,Conversion Rate\n"
        "Control,10000,500,5.00%\nVariation 1,10050,560,5.57%\nVariation 2,9980,510,5.11%\n",
        "summaries",
        {"variant": "Variation", "n": "Visitors", "successes": "Conversions"},
        grain="summary",
    ),
    "Refunds": Export(
        "Refund ID,Order ID,Refund Date,Refund Amount,Currency,Reason\n"
        "R1,1001,2026-01-20,20.00,EUR,size\nR2,1003,2026-01-21,10.00,EUR,late\nR3,1003,2026-01-25,5.00,"
        "EUR,late\n",
        "refunds",
        {
            "refund_id": "Refund ID",
            "order_id": "Order ID",
            "ts": "Refund Date",
            "amount": "Refund Amount",
            "currency": "Currency",
        },
    ),
    "Refunds in Spanish": Export(
        "Nº devolución;Nº pedido;Fecha devolución;Importe devuelto\n"
        "D1;1001;20/01/2026;20,00\nD2;1003;21/01/2026;10,00\nD3;1003;25/01/2026;5,00\n",
        "refunds",
        {
            "refund_id": "Nº devolución",
            "order_id": "Nº pedido",
            "ts": "Fecha devolución",
            "amount": "Importe devuelto",
        },
    ),
    "Orders of nobody": Export(
        "Order ID,Order Date,Total\n1001,2026-01-14,54.00\n1002,2026-01-15,20.00\n1003,2026-01-15,31.50\n",
        None,
    ),
    "Rates of the European Central Bank": Export(
        "Date,USD,JPY,BGN,CYP,CZK,\n2026-01-15,1.0921,158.19,1.9558,N/A,24.6,\n"
        "2026-01-14,1.0950,157.90,1.9558,N/A,24.7,\n2026-01-13,1.0944,157.7,1.9558,N/A,24.7,\n",
        "rates",
        {"date": "Date", "items": ("USD", "JPY", "BGN", "CYP", "CZK"), "inverse": "EUR"},
    ),
    "Rates one by one": Export(
        "fecha;moneda;tipo de cambio\n14/01/2026;USD;0,9132\n14/01/2026;GBP;1,1890\n15/01/2026;USD;0,9157\n",
        "rates",
        {"date": "fecha", "currency": "moneda", "rate": "tipo de cambio"},
    ),
    "Salesforce leads": Export(
        '"Lead ID","Lead Source","Lead Status","Created Date","Company"\n'
        '"00Q1","Web","Open","14/01/2026","Acme"\n"00Q2","Fair","Qualified","15/01/2026","Bolt"\n'
        '"00Q3","Web","Closed","15/01/2026","Core"\n',
        "leads",
        {"lead_id": "Lead ID", "ts": "Created Date", "channel": "Lead Source", "stage": "Lead Status"},
    ),
    "Consents in Spanish": Export(
        "Id cliente;Finalidad;Consentimiento;Fecha\n1;publicidad;sí;14/01/2026\n2;publicidad;no;15/01/2026\n"
        "1;perfilado;sí;14/01/2026\n",
        "consents",
        {"customer_id": "Id cliente", "purpose": "Finalidad", "granted": "Consentimiento", "ts": "Fecha"},
    ),
}
